mock_data "http" {
  defaults = {
    status_code   = 200
    response_body = "-----BEGIN CERTIFICATE-----\n"
  }
}
