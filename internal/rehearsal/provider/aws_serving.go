package provider

// serving is load balancing, Auto Scaling and the web application firewall.
func (a AWS) serving() map[string]spec {
	const balancing = "arn:aws:elasticloadbalancing:{region}:{account}:"
	return map[string]spec{
		"aws:lb/loadBalancer:LoadBalancer": {
			name: "name", max: 32, id: "{arn}", arn: balancing + "loadbalancer/{arnSuffix}", tagged: true,
			out: o{
				"arnSuffix": "app/{name}/{hex16}", "dnsName": "{name}-{hex10}.{region}.elb.amazonaws.com", "vpcId": "vpc-{hex17}",
				"zoneId": "Z215JYRZR1TBD5",
			},
			replace: "internal loadBalancerType customerOwnedIpv4Pool",
		},
		"aws:lb/targetGroup:TargetGroup": {
			name: "name", max: 32, id: "{arn}", arn: balancing + "{arnSuffix}", tagged: true,
			out:     o{"arnSuffix": "targetgroup/{name}/{hex16}", "loadBalancerArns": []any{}},
			replace: "port protocol protocolVersion targetType vpcId ipAddressType", effect: a.TargetGroup,
		},
		"aws:lb/listener:Listener": {
			id: "{arn}", arn: "{loadBalancerArn}/{hex16}", tagged: true, required: "defaultActions loadBalancerArn",
			out: o{"protocol": "HTTP", "sslPolicy": ""}, replace: "loadBalancerArn",
		},
		"aws:lb/listenerRule:ListenerRule": {
			id: "{arn}", arn: "{listenerArn}/{hex16}", tagged: true, required: "actions conditions listenerArn",
			out: o{"priority": 1}, replace: "listenerArn",
		},
		"aws:acm/certificate:Certificate": {
			id: "{arn}", arn: "arn:aws:acm:{region}:{account}:certificate/{hex8}-{hex4}-{hex4}-{hex4}-{hex12}", tagged: true,
			out: o{
				"domainValidationOptions": []any{}, "keyAlgorithm": "RSA_2048", "notAfter": "", "notBefore": "", "pendingRenewal": false,
				"renewalEligibility": "INELIGIBLE", "renewalSummaries": []any{}, "status": "PENDING_VALIDATION", "type": "AMAZON_ISSUED",
				"validationEmails": []any{}, "validationMethod": "DNS",
			},
			replace: "domainName subjectAlternativeNames validationMethod keyAlgorithm", effect: a.Certificate,
		},
		"aws:acm/certificateValidation:CertificateValidation": {
			id: "{now}", required: "certificateArn", replace: "certificateArn validationRecordFqdns", effect: a.CertificateValidation,
		},
		"aws:autoscaling/group:Group": {
			name: "name", max: 255, id: "{name}",
			arn:      "arn:aws:autoscaling:{region}:{account}:autoScalingGroup:{hex8}-{hex4}-{hex4}-{hex4}-{hex12}:autoScalingGroupName/{name}",
			out:      o{"predictedCapacity": 0, "warmPoolSize": 0},
			required: "maxSize minSize", replace: "placementGroup", effect: a.AutoScalingGroup,
		},
		"aws:autoscaling/policy:Policy": {
			name: "name", max: 255, id: "{name}",
			arn:      "arn:aws:autoscaling:{region}:{account}:scalingPolicy:{hex8}-{hex4}-{hex4}-{hex4}-{hex12}:autoScalingGroupName/{autoscalingGroupName}:policyName/{name}",
			required: "autoscalingGroupName", replace: "autoscalingGroupName",
		},
		"aws:autoscaling/lifecycleHook:LifecycleHook": {
			name: "name", max: 255, id: "{name}", required: "autoscalingGroupName lifecycleTransition",
			replace: "autoscalingGroupName",
		},
		"aws:autoscaling/notification:Notification": {
			id: "{topicArn}", required: "groupNames notifications topicArn", replace: "topicArn",
		},
		"aws:wafv2/webAcl:WebAcl": {
			name: "name", max: 128, id: "{hex8}-{hex4}-{hex4}-{hex4}-{hex12}", tagged: true,
			arn: "arn:aws:wafv2:{region}:{account}:regional/webacl/{name}/{id}",
			out: o{"applicationIntegrationUrl": "", "capacity": 1, "lockToken": "{hex8}-{hex4}-{hex4}-{hex4}-{hex12}"}, fresh: "lockToken",
			required: "defaultAction scope visibilityConfig", replace: "scope",
		},
		"aws:wafv2/webAclAssociation:WebAclAssociation": {
			id: "{webAclArn},{resourceArn}", required: "resourceArn webAclArn", replace: "resourceArn webAclArn",
		},
	}
}
