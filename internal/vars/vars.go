// Package vars holds the variables that a pipeline sets and relay reads, one struct for each relay command that runs in a
// pipeline. The pipelines package writes them into CodeBuild actions with Write, the relay command reads them back with
// Read, so that no name is typed twice and a value that one side forgot is an error that names it.
//
// What belongs to the build machine rather than to the pipeline (AWS_REGION, credentials, PATH) is not here.
package vars

// GitHub says how a relay command reaches the repositories.
type GitHub struct {
	// Owner is the organization or user that owns the repositories.
	Owner string `env:"RELAY_GITHUB_OWNER"`
	// API is the root of GitHub's REST API with a slash at its end, "https://api.github.com/" for github.com.
	API string `env:"RELAY_GITHUB_API"`
	// Secret is the ARN of the Secrets Manager secret that holds the token or the GitHub App's key, which are never variables.
	Secret string `env:"RELAY_GITHUB_SECRET"`
}

// Common is what every relay command that runs in a pipeline is told.
type Common struct {
	// Product is the name under which one team's resources live side by side with another's.
	Product string `env:"RELAY_PRODUCT"`
	// Environment is the environment, which is also the branch and the stack: dev, qa or main.
	Environment string `env:"RELAY_ENVIRONMENT"`
	// Commit is the full SHA-1 of the source commit that started the pipeline.
	Commit string `env:"RELAY_COMMIT"`
	// Execution is the ID of the pipeline execution, as CodePipeline gives it.
	Execution string `env:"RELAY_EXECUTION"`
	// Bucket is the name of the environment's artifact bucket.
	Bucket string `env:"RELAY_BUCKET"`
	GitHub
}

// Build is what `relay build` is told in the software pipeline.
type Build struct {
	Common
	// SoftwareRepository is the name of the repository that is built, without its owner.
	SoftwareRepository string `env:"RELAY_SOFTWARE_REPOSITORY"`
	// ImageRepository is the name of the repository that receives the artifact's tag, without its owner.
	ImageRepository string `env:"RELAY_IMAGE_REPOSITORY"`
}

// Bake is what `relay bake` is told in the image pipeline.
type Bake struct {
	Common
	// ImageRepository is the name of the repository that is baked, without its owner.
	ImageRepository string `env:"RELAY_IMAGE_REPOSITORY"`
	// InfrastructureRepository is the name of the repository that receives the AMI's ID, without its owner.
	InfrastructureRepository string `env:"RELAY_INFRASTRUCTURE_REPOSITORY"`
	// ImagePipeline is the ARN of the EC2 Image Builder pipeline that bakes.
	ImagePipeline string `env:"RELAY_IMAGE_PIPELINE"`
	// Recipe is the version of the image recipe. It derives from the recipe's content and is the same in every environment that has
	// the same recipe.
	Recipe string `env:"RELAY_RECIPE"`
	// BaseImage is the parent image of the recipe, an AMI ID or an Image Builder or SSM ARN.
	BaseImage string `env:"RELAY_BASE_IMAGE"`
	// Manifest is the name of the SSM parameter through which the bake manifest reaches the instance that is baked.
	Manifest string `env:"RELAY_MANIFEST"`
}

// Review is what `relay review` is told in the infrastructure pipeline.
type Review struct {
	Common
	// Pipeline is the name of the infrastructure pipeline.
	Pipeline string `env:"RELAY_PIPELINE"`
	// Config is the stack's whole configuration as the platform team last applied it, in JSON. The pipeline names an SSM
	// parameter, CodeBuild puts the parameter's value into the environment.
	Config string `env:"RELAY_CONFIG,parameter"`
}

// DryRun is what `relay review --dry-run` is told by the check of a pull request, which has neither a pipeline nor its secret.
type DryRun struct {
	// Environment is the environment, which is also the branch that the pull request goes into, and the stack.
	Environment string `env:"RELAY_ENVIRONMENT"`
	// Commit is the full SHA-1 of the commit that is previewed.
	Commit string `env:"RELAY_COMMIT"`
	// Config is the stack's whole configuration, in JSON.
	Config string `env:"RELAY_CONFIG"`
	// Token is a token that reads the infrastructure repository.
	Token string `env:"GITHUB_TOKEN"`
}

// Deploy is what `relay deploy` is told in the infrastructure pipeline, after the approval.
type Deploy struct {
	Review
	// ReviewURI is the s3:// address of the reviewed change's folder, with a slash at its end.
	ReviewURI string `env:"RELAY_REVIEW_URI"`
	// ReviewDigest is the SHA-256 of the review's manifest, in hex.
	ReviewDigest string `env:"RELAY_REVIEW_DIGEST"`
}

// Reviewed is what `relay review` exports for the actions that follow it: the approval shows it, the deploy action gets it.
type Reviewed struct {
	// URI becomes Deploy.ReviewURI.
	URI string `env:"REVIEW_URI"`
	// Digest becomes Deploy.ReviewDigest.
	Digest string `env:"REVIEW_DIGEST"`
	// Report is the address of the page for the approver, in the AWS console.
	Report string `env:"REVIEW_REPORT"`
	// Summary is one line: how many resources change, and the release.
	Summary string `env:"REVIEW_SUMMARY"`
	// Changes is the number of resources that change, NoChanges when none does: nobody is asked to approve nothing.
	Changes string `env:"REVIEW_CHANGES"`
}

// NoChanges is Reviewed.Changes of a review that would change no resource.
const NoChanges = "0"
