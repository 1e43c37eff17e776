package provider

// identity is IAM.
func (a AWS) identity() map[string]spec {
	return map[string]spec{
		"aws:iam/role:Role": {
			name: "name", max: 64, id: "{name}", arn: "arn:aws:iam::{account}:role/{name}", tagged: true,
			out: o{"uniqueId": "AROA{hex16}", "createDate": "{now}"}, required: "assumeRolePolicy", replace: "path",
		},
		"aws:iam/rolePolicy:RolePolicy": {
			name: "name", max: 128, id: "{role}:{name}", required: "role policy", replace: "role",
		},
		"aws:iam/rolePolicyAttachment:RolePolicyAttachment": {
			id: "{role}-{hex26}", required: "role policyArn", replace: "role policyArn",
		},
		"aws:iam/instanceProfile:InstanceProfile": {
			name: "name", max: 128, id: "{name}", arn: "arn:aws:iam::{account}:instance-profile/{name}", tagged: true,
			out: o{"uniqueId": "AIPA{hex16}", "createDate": "{now}"}, replace: "path",
		},
		"aws:iam/openIdConnectProvider:OpenIdConnectProvider": {
			// The only one that is asked for; a template cannot take the scheme off the URL.
			id: "{arn}", arn: "arn:aws:iam::{account}:oidc-provider/token.actions.githubusercontent.com", tagged: true,
			out: o{"thumbprintLists": []any{}}, required: "clientIdLists url", replace: "url",
		},
		"aws:iam/policy:Policy": {
			name: "name", max: 128, id: "{arn}", arn: "arn:aws:iam::{account}:policy/{name}", tagged: true,
			out: o{"policyId": "ANPA{hex16}", "attachmentCount": 0}, required: "policy", replace: "path description",
		},
	}
}
