package policy.never_upstream_test

import data.policy.never_upstream.findings

test_accepts_what_ran_upstream if {
	every promotion in ["first", "no-release", "in-sync", "behind", ""] {
		count(findings) == 0 with input as {"environment": "qa", "promotion": promotion, "resources": []}
	}
}

test_warns_of_what_never_ran_upstream if count(findings) == 1 with input as {"environment": "main", "promotion": "never-upstream", "resources": []}
