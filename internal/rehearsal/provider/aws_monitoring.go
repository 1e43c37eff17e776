package provider

// monitoring is CloudWatch, its events, SNS and the notifications of developer tools.
func (a AWS) monitoring() map[string]spec {
	return map[string]spec{
		"aws:cloudwatch/logGroup:LogGroup": {
			name: "name", max: 512, id: "{name}", arn: "arn:aws:logs:{region}:{account}:log-group:{name}", tagged: true,
			replace: "logGroupClass",
		},
		"aws:cloudwatch/metricAlarm:MetricAlarm": {
			name: "name", max: 255, id: "{name}", arn: "arn:aws:cloudwatch:{region}:{account}:alarm:{name}", tagged: true,
			required: "comparisonOperator evaluationPeriods",
		},
		"aws:cloudwatch/eventRule:EventRule": {
			name: "name", max: 64, id: "{name}", arn: "arn:aws:events:{region}:{account}:rule/{name}", tagged: true,
			replace: "eventBusName",
		},
		"aws:cloudwatch/eventTarget:EventTarget": {
			id: "{rule}-{targetId}", out: o{"targetId": "terraform-{hex26}"}, required: "arn rule",
			replace: "rule targetId eventBusName",
		},
		"aws:sns/topic:Topic": {
			name: "name", max: 256, id: "{arn}", arn: "arn:aws:sns:{region}:{account}:{name}", tagged: true,
			out: o{"owner": "{account}", "beginningArchiveTime": ""}, replace: "fifoTopic",
		},
		"aws:sns/topicPolicy:TopicPolicy": {
			id: "{arn}", out: o{"owner": "{account}"}, required: "arn policy", replace: "arn",
		},
		"aws:sns/topicSubscription:TopicSubscription": {
			id: "{arn}", arn: "{topic}:{hex8}-{hex4}-{hex4}-{hex4}-{hex12}",
			out: o{
				"ownerId": "{account}", "pendingConfirmation": false, "confirmationWasAuthenticated": true,
				"filterPolicyScope": "MessageAttributes",
			},
			required: "endpoint protocol topic", replace: "endpoint protocol topic",
		},
		"aws:codestarnotifications/notificationRule:NotificationRule": {
			name: "name", max: 64, id: "{arn}", tagged: true,
			arn:      "arn:aws:codestar-notifications:{region}:{account}:notificationrule/{hex40}",
			required: "detailType eventTypeIds resource", replace: "resource",
		},
	}
}
