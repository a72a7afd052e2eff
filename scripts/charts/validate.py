"""Checks objects against the published schemas of Kubernetes, KEDA and the Prometheus Operator, unknown fields refused.

Reads {"versions": ["1.29", ...], "objects": [...]} on standard input and writes a list of
{"object": index, "schema": "Kubernetes 1.29", "message": text}.
"""

import json
import sys
from importlib.metadata import version

import jsonschema
import kubernetes_validate
from cloudcoil.models.keda.v1alpha1 import ScaledObject, TriggerAuthentication
from cloudcoil.models.prometheus_operator.v1 import PodMonitor, PrometheusRule, ServiceMonitor


def release(name, package):
    return f"{name} {'.'.join(version(package).split('.')[:2])}"


# Kinds that an operator defines, by the group of their API.
KEDA = release("KEDA", "cloudcoil.models.keda")
PROMETHEUS = release("Prometheus Operator", "cloudcoil.models.prometheus-operator")
DEFINED = {
    "keda.sh/v1alpha1": (KEDA, [ScaledObject, TriggerAuthentication]),
    "monitoring.coreos.com/v1": (PROMETHEUS, [PodMonitor, PrometheusRule, ServiceMonitor]),
}


def strict(schema):
    """The models come from the operators' resource definitions but let unknown fields and null pass."""
    if isinstance(schema, list):
        return [strict(item) for item in schema]
    if not isinstance(schema, dict):
        return schema
    if "anyOf" in schema:
        values = [item for item in schema["anyOf"] if item != {"type": "null"}]
        if len(values) == 1:
            return strict(values[0])
    made = {key: strict(value) for key, value in schema.items()}
    if made.get("type") == "object" and "properties" in made:
        made.setdefault("additionalProperties", False)
    return made


def defined_problems(item, models, validators):
    model = next((model for model in models if model.__name__ == item["kind"]), None)
    if model is None:
        return [f"no schema of {item['kind']}"]
    if model not in validators:
        schema = model.model_json_schema(by_alias=True)
        validators[model] = jsonschema.Draft202012Validator(strict(schema))
    return [described(error) for error in validators[model].iter_errors(item)]


def kubernetes_problems(item, release):
    try:
        kubernetes_validate.validate(item, release, strict=True)
        return []
    except kubernetes_validate.ValidationError as error:
        return [described(error)]
    except kubernetes_validate.SchemaNotFoundError:
        return [f"has no {item['kind']} of {item['apiVersion']}"]


def described(error):
    return f"{'.'.join(str(step) for step in error.path) or 'the object'}: {error.message}"


def problems(versions, objects):
    validators = {}
    for index, item in enumerate(objects):
        if item["apiVersion"] in DEFINED:
            schema, models = DEFINED[item["apiVersion"]]
            for message in defined_problems(item, models, validators):
                yield {"object": index, "schema": schema, "message": message}
            continue
        for release in versions:
            for message in kubernetes_problems(item, release):
                yield {"object": index, "schema": f"Kubernetes {release}", "message": message}


request = json.load(sys.stdin)
json.dump(list(problems(request["versions"], request["objects"])), sys.stdout)
