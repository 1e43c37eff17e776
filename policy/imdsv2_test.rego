package policy.imdsv2_test

import data.lib_test
import data.policy.imdsv2.findings

template(options) := lib_test.given("dev", [lib_test.resource("aws:ec2/launchTemplate:LaunchTemplate", "app", options)])

test_accepts_required_tokens if {
	count(findings) == 0 with input as template({"metadataOptions": {"httpTokens": "required", "httpEndpoint": "enabled"}})
}

test_accepts_no_endpoint_at_all if count(findings) == 0 with input as template({"metadataOptions": {"httpEndpoint": "disabled"}})

test_accepts_a_deleted_template if {
	gone := object.remove(lib_test.resource("aws:ec2/launchTemplate:LaunchTemplate", "app", {}), ["after"])
	count(findings) == 0 with input as lib_test.given("dev", [gone])
}

test_refuses_optional_tokens if {
	every options in [
		{}, {"metadataOptions": {}}, {"metadataOptions": {"httpTokens": "optional"}}, {"metadataOptions": {"httpTokens": "[unknown]"}},
		{"metadataOptions": "[unknown]"},
	] {
		count(findings) == 1 with input as template(options)
	}
}

test_refuses_optional_tokens_while_baking if {
	type := "aws:imagebuilder/infrastructureConfiguration:InfrastructureConfiguration"
	found := findings with input as lib_test.given("dev", [lib_test.resource(type, "image-factory", {"instanceMetadataOptions": {"httpTokens": "optional"}})])
	{f.message | some f in found} == {"instanceMetadataOptions.httpTokens is optional; expected required"}
}
