package components

import "github.com/tekpossible/ha-devops/pipelines"

// systemsKeyPolicy lets the services that run and watch an environment's systems use its key, which IAM alone cannot: CloudWatch Logs
// for the environment's log groups (CloudWatch Logs User Guide, "Encrypt log data using AWS KMS"), CloudWatch to publish to encrypted
// topics (CloudWatch User Guide, "Notifying users on alarm changes"), and Auto Scaling to launch instances with encrypted volumes
// (Amazon EC2 Auto Scaling User Guide, "Required AWS KMS key policy for use with encrypted volumes").
func systemsKeyPolicy(f pipelines.Facts) []statement {
	logs := service("logs."+f.Region+".amazonaws.com", map[string]map[string][]string{
		"ArnLike": {"kms:EncryptionContext:aws:logs:arn": {f.ARN("logs", "log-group:"+f.LogGroup("*"))}},
	})
	logs.Sid, logs.Action = "EncryptLogs", encrypting
	alarms := service("cloudwatch.amazonaws.com", map[string]map[string][]string{"StringEquals": {"aws:SourceAccount": {f.Account}}})
	alarms.Sid, alarms.Action = "PublishAlarms", []string{"kms:Decrypt", "kms:GenerateDataKey"}
	volumes := scaling(f)
	volumes.Sid, volumes.Action = "EncryptVolumes", encrypting
	attach := scaling(f)
	attach.Sid, attach.Action = "AttachVolumes", []string{"kms:CreateGrant"}
	attach.Condition["Bool"] = map[string][]string{"kms:GrantIsForAWSResource": {"true"}}
	return []statement{logs, alarms, volumes, attach}
}

var encrypting = []string{
	"kms:Decrypt", "kms:DescribeKey", "kms:Encrypt", "kms:GenerateDataKey", "kms:GenerateDataKeyWithoutPlaintext", "kms:ReEncryptFrom", "kms:ReEncryptTo",
}

func service(principal string, condition map[string]map[string][]string) statement {
	return statement{
		Effect: "Allow", Principal: map[string]string{"Service": principal}, Resource: []string{"*"}, Condition: condition,
	}
}

// scaling is the account's Auto Scaling, by its role's ARN in a condition: KMS refuses a key policy whose principal does not exist yet,
// and in a new account the first group makes the role.
func scaling(f pipelines.Facts) statement {
	return statement{
		Effect: "Allow", Principal: map[string]string{"AWS": "*"}, Resource: []string{"*"},
		Condition: map[string]map[string][]string{"StringEquals": {"kms:CallerAccount": {f.Account}, "aws:PrincipalArn": {f.ScalingRoleARN()}}},
	}
}
