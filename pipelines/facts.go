package pipelines

import (
	"fmt"
	"strings"

	"github.com/tekpossible/ha-devops/internal/names"
	"github.com/tekpossible/ha-devops/internal/vars"
)

// Facts are what the definitions are filled with: where things are and what they are called. Everything is known before any
// resource exists, because the account, the region and all physical names are.
type Facts struct {
	Product     string
	Environment string
	Account     string
	Region      string
	// GitHub says how relay reaches the repositories.
	GitHub vars.GitHub
	// Repositories are the repositories' names without their owner, by role.
	Repositories map[Role]string
	// Relay is the binary that the builds run.
	Relay Tool
	// Pulumi is the Pulumi CLI that review and deploy run; without a URI the build image's own is used.
	Pulumi Tool
	// Plugins are the Pulumi provider plugins that review and deploy run; without any, those that the build image finds.
	Plugins []Plugin
	// StateBucket is the bucket that holds the stack's state, empty when the state is not on S3.
	StateBucket string
	// SecretsKey is the ARN of the KMS key that encrypts the stack's secrets, empty when none does.
	SecretsKey string
	// BaseImage is the image recipe's parent image: an AMI ID, or the ARN of an Image Builder image.
	BaseImage string
	// ReviewHours is how long a review can be approved and deployed.
	ReviewHours int
	// Bake says how images are made.
	Bake Bake
}

// Plugin is a Pulumi provider plugin: the tar that its publisher releases.
type Plugin struct {
	// Name is the provider's, such as "aws".
	Name string `json:"name"`
	// Version is the plugin's, without a v: the one that the program was built with.
	Version string `json:"version"`
	Tool
}

// Tool is a program that is fetched from S3 and checked before it runs.
type Tool struct {
	// URI is the s3:// address of the program.
	URI string `json:"uri"`
	// SHA256 is the digest of the program, in hex.
	SHA256 string `json:"sha256"`
}

func (t Tool) arn() string { return "arn:aws:s3:::" + strings.TrimPrefix(t.URI, "s3://") }

// Name is the physical name of something that is there once in an environment.
func (f Facts) Name(parts ...string) string {
	return names.Join(names.MaxRole, append([]string{f.Product, f.Environment}, parts...)...)
}

// Bucket is the name of the environment's artifact bucket. Bucket names are global, so it bears account and region.
func (f Facts) Bucket() string {
	return names.Join(names.MaxBucket, f.Product, f.Environment, f.Account, f.Region)
}

// AccessLogBucket is the name of the bucket of the load balancer's access log.
func (f Facts) AccessLogBucket() string {
	return names.Join(names.MaxBucket, f.Product, f.Environment, "access-log", f.Account, f.Region)
}

// LogGroup is the name of a log group of the environment's systems.
func (f Facts) LogGroup(part string) string { return f.parameter(part) }

// Alarm is the name of an alarm on the environment's systems.
func (f Facts) Alarm(part string) string { return f.Name("app", part) }

// ScalingRoleARN is the ARN of the service-linked role with which Auto Scaling works in the account (Amazon EC2 Auto Scaling User
// Guide, "Service-linked roles").
func (f Facts) ScalingRoleARN() string {
	return "arn:aws:iam::" + f.Account + ":role/aws-service-role/autoscaling.amazonaws.com/AWSServiceRoleForAutoScaling"
}

// LogBucket is the name of the bucket that receives the artifact bucket's access log.
func (f Facts) LogBucket() string {
	return names.Join(names.MaxBucket, f.Product, f.Environment, "logs", f.Account, f.Region)
}

// BakeLogGroup is the name of the log group that Image Builder writes an image's log to. It derives it from the recipe's name.
func (f Facts) BakeLogGroup() string { return "/aws/imagebuilder/" + f.Name("image") }

// Connection is the name of the connection to GitHub.
func (f Facts) Connection() string {
	return names.Join(names.MaxLoadBalancer, f.Product, f.Environment)
}

// Pipeline is the name of the pipeline of a repository.
func (f Facts) Pipeline(role Role) string { return f.Name(string(role)) }

// Project is the name of the build project of a pipeline's stage.
func (f Facts) Project(role Role, stage string) string {
	return f.Name(string(role), strings.ToLower(stage))
}

// Findings is the name of the group of test reports that show what the reviews' policy found.
func (f Facts) Findings() string { return f.Name("findings") }

// ConfigParameter is the name of the SSM parameter that holds the stack's configuration.
func (f Facts) ConfigParameter() string { return f.parameter("config") }

// ManifestParameter is the name of the SSM parameter through which a bake's manifest reaches the instance.
func (f Facts) ManifestParameter() string { return f.parameter("bake") }

// Group is the name of the Auto Scaling group that runs the release.
func (f Facts) Group() string { return f.Name("app") }

// ImagePipelineARN is the ARN of the EC2 Image Builder pipeline.
func (f Facts) ImagePipelineARN() string {
	return f.ARN("imagebuilder", "image-pipeline/"+f.Name("image"))
}

// ARN is the ARN of a resource in the environment's account and region.
func (f Facts) ARN(service, resource string) string {
	return fmt.Sprintf("arn:aws:%s:%s:%s:%s", service, f.Region, f.Account, resource)
}

func (f Facts) parameter(name string) string {
	return "/" + f.Product + "/" + f.Environment + "/" + name
}

func (f Facts) object(prefix string) string {
	return "arn:aws:s3:::" + f.Bucket() + "/" + prefix + "/*"
}

func (f Facts) common() vars.Common {
	return vars.Common{
		Product: f.Product, Environment: f.Environment, Bucket: f.Bucket(), GitHub: f.GitHub,
		Commit: sourceCommit, Execution: executionID,
	}
}

// RelayARN is the ARN of the S3 object that holds the relay binary.
func (f Facts) RelayARN() string { return f.Relay.arn() }
