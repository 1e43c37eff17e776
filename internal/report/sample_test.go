package report_test

import (
	"fmt"
	"strings"
	"time"

	"github.com/tekpossible/ha-devops/internal/lint"
	"github.com/tekpossible/ha-devops/internal/preview"
	"github.com/tekpossible/ha-devops/internal/report"
)

const (
	stackType  = "pulumi:pulumi:Stack"
	appType    = "ha-devops:index:AppEnvironment"
	groupType  = "aws:autoscaling/group:Group"
	policyType = "aws:s3/bucketPolicy:BucketPolicy"
)

func urn(types, name string) string { return "urn:pulumi:qa::ha-devops::" + types + "::" + name }

// child is a resource below a parent.
func child(parent preview.Resource, typ, name, op string, changes ...preview.Property) preview.Resource {
	chain := typ
	if parent.Type != stackType {
		chain = parent.Type + "$" + typ
	}
	return preview.Resource{URN: urn(chain, name), Type: typ, Parent: parent.URN, Op: op, Changes: changes}
}

func update(path string, before, after any) preview.Property {
	return preview.Property{Path: path, Op: preview.Update, Before: before, After: after}
}

func document(action string) string {
	return fmt.Sprintf(`{"Version":"2012-10-17","Statement":[{"Sid":"TLSOnly","Effect":"Deny","Principal":"*","Action":"s3:*",`+
		`"Resource":["arn:aws:s3:::shop-qa-logs","arn:aws:s3:::shop-qa-logs/*"],"Condition":{"Bool":{"aws:SecureTransport":"false"}}},`+
		`{"Sid":"Delivery","Effect":"Allow","Principal":{"Service":"delivery.logs.amazonaws.com"},"Action":%q,"Resource":"arn:aws:s3:::shop-qa-logs/*"}]}`, action)
}

var (
	openIngress = lint.Rule{
		ID: "open-ingress", Title: "No address of the internet reaches what is not production's listener", Severity: lint.Error,
		Why: "QA is for testers only; whoever scans the internet finds it otherwise, with releases that nobody approved for the public.",
		Fix: "Name the testers' CIDRs in the profile, or open production's listener ports only.",
	}
	dataLoss = lint.Rule{
		ID: "data-loss", Title: "What holds data is neither deleted nor replaced", Severity: lint.Warning,
		Why: "Data that was in it is gone, and a rollback does not bring it back.",
		Fix: "Keep the resource, or take a snapshot and say so in the pull request.",
	}
	wildcard = lint.Rule{
		ID: "iam-wildcard", Title: "No policy allows every action", Severity: lint.Error,
		Why: "Whoever gets the role gets the account.", Fix: "List the actions that are used.",
	}
	imds = lint.Rule{
		ID: "imdsv2", Title: "Instances answer only IMDSv2", Severity: lint.Error,
		Why: "A request forged through the application reads the role's credentials otherwise.", Fix: `Set metadataOptions.httpTokens to "required".`,
	}
)

// sample is a review as an approver sees it on an ordinary day.
func sample() report.Report {
	stack := preview.Resource{URN: urn(stackType, "ha-devops-qa"), Type: stackType, Op: preview.Same}
	app := child(stack, appType, "app", preview.Same)
	factory := child(stack, "ha-devops:index:ImageFactory", "images", preview.Same)
	pipeline := child(stack, "ha-devops:index:BranchPipeline", "infrastructure", preview.Same)

	template := child(app, "aws:ec2/launchTemplate:LaunchTemplate", "app", preview.Update,
		update("imageId", "ami-0b1f3c5d7e9a2468c", "ami-0f2e4d6c8b0a13579"),
		update("userData", "[secret]", "[secret]"),
		update(`tagSpecifications[0].tags.release`, "v1.8.2", "v1.9.0"))
	group := child(app, groupType, "app", preview.Update,
		update("desiredCapacity", 2, 3), update("launchTemplate.version", "41", preview.Unknown),
		preview.Property{Path: "tags[4]", Op: preview.Create, After: map[string]any{"key": "release", "value": "v1.9.0", "propagateAtLaunch": true}})
	logs := child(app, "aws:s3/bucket:Bucket", "logs", preview.Replace,
		preview.Property{Path: "bucket", Op: preview.Update, Replaces: true, Before: "shop-qa-logs", After: "shop-qa-access-logs"})
	logs.Protected = true
	policy := child(app, policyType, "logs", preview.Update, update("policy", document("s3:*"), document("s3:PutObject")))
	queue := child(app, "aws:sqs/queue:Queue", "legacy-jobs", preview.Delete)
	queue.Before = map[string]any{"name": "shop-qa-legacy-jobs", "messageRetentionSeconds": 345600, "kmsMasterKeyId": "alias/shop-qa"}
	alarm := child(app, "aws:cloudwatch/metricAlarm:MetricAlarm", "app-5xx", preview.Create)
	alarm.After = map[string]any{
		"metricName": "HTTPCode_Target_5XX_Count", "threshold": 5, "evaluationPeriods": 3, "alarmActions": []any{preview.Unknown},
		"alarmDescription": "More than five failed requests in three minutes",
	}
	ingress := child(app, "aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule", "app-debug", preview.Create)
	ingress.After = map[string]any{"cidrIpv4": "0.0.0.0/0", "fromPort": 8081, "toPort": 8081, "ipProtocol": "tcp"}
	recipe := child(factory, "aws:imagebuilder/imageRecipe:ImageRecipe", "images", preview.Replace,
		preview.Property{Path: "version", Op: preview.Update, Replaces: true, Before: "1.0.1187", After: "1.0.2044"})
	retention := child(pipeline, "aws:cloudwatch/logGroup:LogGroup", "infrastructure", preview.Update, update("retentionInDays", 30, 90))

	return report.Report{
		Product: "shop", Environment: "qa",
		Commit: report.Commit{
			SHA: "4e8b1c0d97a25f6386e1d2c3b4a5968778695a4b", Subject: "Promote v1.9.0 to QA (#214)", Author: "Ines Okafor",
			URL: "https://github.com/example/shop-infrastructure/commit/4e8b1c0d97a25f6386e1d2c3b4a5968778695a4b",
		},
		Execution: "5f0c9d3e-8c1a-4f57-b6d2-0a9e7c4b1d38",
		From: report.Release{
			ArtifactTag: "v1.8.2", AMI: "ami-0b1f3c5d7e9a2468c", SoftwareCommit: strings.Repeat("9c1d", 10), ImageCommit: strings.Repeat("77aa", 10),
		},
		To: report.Release{
			ArtifactTag: "v1.9.0", AMI: "ami-0f2e4d6c8b0a13579", SoftwareCommit: strings.Repeat("d20e", 10), ImageCommit: strings.Repeat("77aa", 10),
		},
		Software: []report.Commit{
			{SHA: strings.Repeat("d20e", 10), Subject: "Checkout: retry a payment that timed out, once", Author: "Ines Okafor", URL: "https://github.com/example/shop/commit/d20e"},
			{SHA: strings.Repeat("b7f4", 10), Subject: "Cache the catalogue for a minute", Author: "Tomás Lindqvist", URL: "https://github.com/example/shop/commit/b7f4"},
			{SHA: strings.Repeat("31c8", 10), Subject: "Health: say which dependency is missing", Author: "Aiko Brandt", URL: "https://github.com/example/shop/commit/31c8"},
		},
		Preview: preview.Preview{
			Resources: []preview.Resource{stack, pipeline, retention, factory, recipe, app, template, group, alarm, ingress, logs, policy, queue},
			Promotion: "in-sync",
		},
		Rules: []lint.Rule{dataLoss, wildcard, imds, openIngress},
		Findings: []lint.Finding{
			{Rule: dataLoss, Resource: logs.URN, Message: `bucket "logs" would be replaced because bucket changes from "shop-qa-logs" to "shop-qa-access-logs"`},
			{
				Rule: openIngress, Resource: ingress.URN, Message: "cidrIpv4 is 0.0.0.0/0 on port 8081",
				Exception: &lint.Exception{
					Rule: openIngress.ID, Resource: "SecurityGroupIngressRule::app-debug", Owner: "Aiko Brandt", Expires: "2026-12-01",
					Reason: "Load test from the vendor's changing addresses until the end of November (SHOP-1182)",
				},
			},
		},
		Promotion: report.Promotion{Upstream: "dev", State: "in-sync", Meaning: "dev runs this release too."},
		Mirror:    "main",
		Parity: []report.Difference{
			{Setting: "environment.json: scaling.max", Here: "6", There: "8"},
			{Setting: "environment.json: health.path", Here: "/healthz", There: "/health"},
		},
		Digests: []report.Digest{
			{Of: "plan.json", SHA256: strings.Repeat("1f3a", 16)},
			{Of: "preview.json", SHA256: strings.Repeat("8b0c", 16)},
			{Of: "state", SHA256: strings.Repeat("e4d7", 16)},
		},
		Approval: report.Approval{
			Approve: "relay approve qa DIGEST", Reject: `relay reject qa DIGEST --reason "..."`,
			Console: "https://eu-central-1.console.aws.amazon.com/codesuite/codepipeline/pipelines/shop-infrastructure-qa/view?region=eu-central-1",
			Page:    "https://eu-central-1.console.aws.amazon.com/s3/object/shop-qa?prefix=reviews/qa/4e8b/report.html",
		},
		Relay: "v0.9.0", Pulumi: "v3.255.0",
		Created: time.Date(2026, 11, 24, 15, 4, 0, 0, time.UTC), Expires: time.Date(2026, 11, 26, 15, 4, 0, 0, time.UTC),
	}
}

// blocked is the sample without its exception, so that it fails.
func blocked() report.Report {
	r := sample()
	r.Findings[1].Exception = nil
	return r
}

// unchanged is a review that changes nothing, of the first environment.
func unchanged() report.Report {
	r := sample()
	for i := range r.Preview.Resources {
		r.Preview.Resources[i] = preview.Resource{
			URN: r.Preview.Resources[i].URN, Type: r.Preview.Resources[i].Type, Parent: r.Preview.Resources[i].Parent, Op: preview.Same,
		}
	}
	r.Environment, r.Mirror, r.Parity, r.Findings, r.Software = "dev", "", nil, nil, nil
	r.From, r.SoftwareNote = r.To, "the release is the same"
	r.Promotion = report.Promotion{State: "first", Meaning: "Nothing is promoted into dev."}
	return r
}

// large is a review with n changed resources of six properties each, in components of about forty.
func large(n int) report.Report {
	r := sample()
	stack := r.Preview.Resources[0]
	r.Preview.Resources = []preview.Resource{stack}
	ops := []string{preview.Update, preview.Create, preview.Update, preview.Replace, preview.Update, preview.Delete, preview.Update}
	types := []string{groupType, "aws:ec2/securityGroup:SecurityGroup", "aws:iam/role:Role", policyType, "aws:lb/listenerRule:ListenerRule"}
	var parent preview.Resource
	r.Findings = nil
	for i := range n {
		if i%40 == 0 {
			parent = child(stack, appType, fmt.Sprintf("app-%02d", i/40), preview.Same)
			r.Preview.Resources = append(r.Preview.Resources, parent)
		}
		changed := child(parent, types[i%len(types)], fmt.Sprintf("resource-%04d", i), ops[i%len(ops)],
			update("description", fmt.Sprintf("Instances of cell %d, release v1.8.2", i), fmt.Sprintf("Instances of cell %d, release v1.9.0", i)),
			update("tags.release", "v1.8.2", "v1.9.0"),
			update("maxSize", i, i+2),
			update("policy", document("s3:*"), document("s3:PutObject")),
			update("vpcZoneIdentifiers", []any{"subnet-0a1b2c3d", "subnet-4e5f6a7b"}, []any{"subnet-0a1b2c3d", "subnet-4e5f6a7b", "subnet-8c9d0e1f"}),
			update("launchTemplate.version", "41", preview.Unknown))
		r.Preview.Resources = append(r.Preview.Resources, changed)
		if i%20 == 0 {
			r.Findings = append(r.Findings, lint.Finding{Rule: dataLoss, Resource: changed.URN, Message: "it would be gone with its data"})
		}
	}
	return r
}
