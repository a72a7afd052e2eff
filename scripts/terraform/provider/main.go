// A stand-in for a Terraform provider that cannot be had: it has the provider's schemas, out of its typed bindings, and
// nothing else. That is enough for `terraform validate`, and for `terraform test`, which mocks nearly all providers do.
// The schemas lie in the file schemas.json beside the program.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/hashicorp/terraform-plugin-go/tfprotov6"
	"github.com/hashicorp/terraform-plugin-go/tfprotov6/tf6server"
	"github.com/hashicorp/terraform-plugin-go/tftypes"
)

type attribute struct {
	Type                         json.RawMessage
	Required, Optional, Computed bool
}

type block struct {
	Nesting string
	Schema  schema
}

type schema struct {
	Attributes map[string]attribute
	Blocks     map[string]block
}

type provider struct {
	Provider  schema
	Resource  map[string]schema
	Data      map[string]schema
	Ephemeral map[string]schema
}

var nestings = map[string]tfprotov6.SchemaNestedBlockNestingMode{
	"list":   tfprotov6.SchemaNestedBlockNestingModeList,
	"set":    tfprotov6.SchemaNestedBlockNestingModeSet,
	"single": tfprotov6.SchemaNestedBlockNestingModeSingle,
}

func blockOf(from schema) (*tfprotov6.SchemaBlock, error) {
	made := &tfprotov6.SchemaBlock{}
	for name, one := range from.Attributes {
		typed, err := tftypes.ParseJSONType(one.Type) //nolint:staticcheck // the bindings' schemas are in this form
		if err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		// A write-only value is in no state, so nothing can be computed for it.
		writeOnly := strings.HasSuffix(name, "_wo") && (one.Required || one.Optional)
		made.Attributes = append(made.Attributes, &tfprotov6.SchemaAttribute{
			Name: name, Type: typed, Required: one.Required, Optional: one.Optional,
			Computed: one.Computed && !one.Required && !writeOnly, WriteOnly: writeOnly,
		})
	}
	for name, one := range from.Blocks {
		inner, err := blockOf(one.Schema)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		made.BlockTypes = append(made.BlockTypes, &tfprotov6.SchemaNestedBlock{
			TypeName: name, Block: inner, Nesting: nestings[one.Nesting],
		})
	}
	return made, nil
}

func schemasOf(types map[string]schema) (map[string]*tfprotov6.Schema, error) {
	made := map[string]*tfprotov6.Schema{}
	for name, one := range types {
		inner, err := blockOf(one)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		made[name] = &tfprotov6.Schema{Block: inner}
	}
	return made, nil
}

// Whatever is not written here is not done: the embedded interface is empty, and a call of it ends the program.
type server struct {
	tfprotov6.ProviderServer
	schemas *tfprotov6.GetProviderSchemaResponse
}

func (s *server) GetMetadata(context.Context, *tfprotov6.GetMetadataRequest) (*tfprotov6.GetMetadataResponse, error) {
	made := &tfprotov6.GetMetadataResponse{ServerCapabilities: &tfprotov6.ServerCapabilities{}}
	for name := range s.schemas.ResourceSchemas {
		made.Resources = append(made.Resources, tfprotov6.ResourceMetadata{TypeName: name})
	}
	for name := range s.schemas.DataSourceSchemas {
		made.DataSources = append(made.DataSources, tfprotov6.DataSourceMetadata{TypeName: name})
	}
	return made, nil
}

func (s *server) GetProviderSchema(context.Context, *tfprotov6.GetProviderSchemaRequest) (*tfprotov6.GetProviderSchemaResponse, error) {
	return s.schemas, nil
}

func (s *server) ValidateProviderConfig(_ context.Context, asked *tfprotov6.ValidateProviderConfigRequest) (*tfprotov6.ValidateProviderConfigResponse, error) {
	return &tfprotov6.ValidateProviderConfigResponse{PreparedConfig: asked.Config}, nil
}

func (s *server) ValidateResourceConfig(context.Context, *tfprotov6.ValidateResourceConfigRequest) (*tfprotov6.ValidateResourceConfigResponse, error) {
	return &tfprotov6.ValidateResourceConfigResponse{}, nil
}

func (s *server) ValidateDataResourceConfig(context.Context, *tfprotov6.ValidateDataResourceConfigRequest) (*tfprotov6.ValidateDataResourceConfigResponse, error) {
	return &tfprotov6.ValidateDataResourceConfigResponse{}, nil
}

func (s *server) ValidateEphemeralResourceConfig(context.Context, *tfprotov6.ValidateEphemeralResourceConfigRequest) (*tfprotov6.ValidateEphemeralResourceConfigResponse, error) {
	return &tfprotov6.ValidateEphemeralResourceConfigResponse{}, nil
}

func (s *server) ConfigureProvider(context.Context, *tfprotov6.ConfigureProviderRequest) (*tfprotov6.ConfigureProviderResponse, error) {
	return &tfprotov6.ConfigureProviderResponse{}, nil
}

// Terraform mocks no ephemeral resources: here every text that one computes says where it comes from.
func (s *server) OpenEphemeralResource(_ context.Context, asked *tfprotov6.OpenEphemeralResourceRequest) (*tfprotov6.OpenEphemeralResourceResponse, error) {
	made := s.schemas.EphemeralResourceSchemas[asked.TypeName]
	given, err := asked.Config.Unmarshal(made.ValueType())
	if err != nil {
		return nil, err
	}
	values := map[string]tftypes.Value{}
	if err := given.As(&values); err != nil {
		return nil, err
	}
	for _, one := range made.Block.Attributes {
		if one.Computed && values[one.Name].IsNull() && one.Type.Is(tftypes.String) {
			values[one.Name] = tftypes.NewValue(tftypes.String, "stand-in")
		}
	}
	result, err := tfprotov6.NewDynamicValue(made.ValueType(), tftypes.NewValue(made.ValueType(), values))
	return &tfprotov6.OpenEphemeralResourceResponse{Result: &result}, err
}

func (s *server) CloseEphemeralResource(context.Context, *tfprotov6.CloseEphemeralResourceRequest) (*tfprotov6.CloseEphemeralResourceResponse, error) {
	return &tfprotov6.CloseEphemeralResourceResponse{}, nil
}

func (s *server) StopProvider(context.Context, *tfprotov6.StopProviderRequest) (*tfprotov6.StopProviderResponse, error) {
	return &tfprotov6.StopProviderResponse{}, nil
}

func load(path string) (*server, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	var from provider
	if err := json.Unmarshal(text, &from); err != nil {
		return nil, err
	}
	own, ownError := blockOf(from.Provider)
	resources, resourceError := schemasOf(from.Resource)
	data, dataError := schemasOf(from.Data)
	ephemeral, ephemeralError := schemasOf(from.Ephemeral)
	if err := errors.Join(ownError, resourceError, dataError, ephemeralError); err != nil {
		return nil, err
	}
	return &server{schemas: &tfprotov6.GetProviderSchemaResponse{
		ServerCapabilities:       &tfprotov6.ServerCapabilities{},
		Provider:                 &tfprotov6.Schema{Block: own},
		ResourceSchemas:          resources,
		DataSourceSchemas:        data,
		EphemeralResourceSchemas: ephemeral,
	}}, nil
}

func main() {
	// terraform-provider-aws_v6.66.0 serves registry.terraform.io/hashicorp/aws.
	name := strings.TrimPrefix(filepath.Base(os.Args[0]), "terraform-provider-")
	name, _, _ = strings.Cut(name, "_")
	made, err := load(filepath.Join(filepath.Dir(os.Args[0]), "schemas.json"))
	if err == nil {
		err = tf6server.Serve("registry.terraform.io/hashicorp/"+name, func() tfprotov6.ProviderServer { return made })
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
