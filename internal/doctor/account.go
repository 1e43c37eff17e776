package doctor

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	"github.com/aws/smithy-go"
)

// asked explains a call that AWS did not answer: what may not be asked is not known, and who may ask it is said.
func asked(err error) Result {
	var operation *smithy.OperationError
	result := notChecked(reason(err))
	if denied(err) && errors.As(err, &operation) {
		result.Found = fmt.Sprintf("%s may not be called", operation.Operation())
		result.Fix = fmt.Sprintf("let your credentials call %s of %s, or check it in the console", operation.Operation(), operation.Service())
	}
	return result
}

// code is the error's code of an answer of AWS, empty when there was none.
func code(err error) string {
	var api smithy.APIError
	if errors.As(err, &api) {
		return api.ErrorCode()
	}
	return ""
}

// denied says that AWS knows who asks, and does not let them.
func denied(err error) bool {
	return slices.Contains([]string{"AccessDenied", "AccessDeniedException", "UnauthorizedOperation", "Forbidden"}, code(err))
}

// reason is an error in one line, without the address of the request and its retries.
func reason(err error) string {
	var api smithy.APIError
	if errors.As(err, &api) {
		return strings.TrimSpace(api.ErrorCode() + ": " + api.ErrorMessage())
	}
	if errors.Is(err, context.DeadlineExceeded) {
		return "no answer in time"
	}
	return strings.Join(strings.Fields(err.Error()), " ")
}

func (s Subject) credentials(ctx context.Context) Result {
	if _, err := s.State.Credentials.Retrieve(ctx); err != nil {
		return problem("there are no AWS credentials: "+last(reason(err)), "sign in with aws sso login or aws configure, or set AWS_PROFILE")
	}
	who, err := sts.NewFromConfig(s.State).GetCallerIdentity(ctx, &sts.GetCallerIdentityInput{})
	switch c := code(err); {
	case err == nil:
		return ok("%s", aws.ToString(who.Arn))
	case slices.Contains([]string{"ExpiredToken", "ExpiredTokenException", "RequestExpired"}, c):
		return problem("the AWS credentials have expired", "sign in again, with aws sso login or as you got them")
	case slices.Contains([]string{"InvalidClientTokenId", "UnrecognizedClientException", "SignatureDoesNotMatch"}, c):
		return problem("AWS refuses the credentials: "+reason(err),
			fmt.Sprintf("sign in again; when the credentials are right, enable the region with aws account enable-region --region-name %s", s.Region))
	}
	return asked(err)
}

// last is the last part of a chain of errors, which says what went wrong.
func last(text string) string {
	parts := strings.Split(text, ": ")
	return parts[len(parts)-1]
}

func (s Subject) account(ctx context.Context) Result {
	who, err := sts.NewFromConfig(s.Cloud).GetCallerIdentity(ctx, &sts.GetCallerIdentityInput{})
	if err != nil {
		return problem("the role of the environment cannot be taken on: "+reason(err), "let your credentials take on the role in assumeRole of the configuration")
	}
	if found := aws.ToString(who.Account); found != s.Account {
		return problem(fmt.Sprintf("the credentials are of account %s, %s is in %s", found, s.Environment, s.Account),
			"use credentials of account "+s.Account+" (AWS_PROFILE), or mend account in Pulumi."+s.Environment+".yaml")
	}
	return ok("%s", s.Account)
}

func (s Subject) region(ctx context.Context) Result {
	set := fmt.Sprintf("export AWS_REGION=%s", s.Region)
	switch s.Machine {
	case s.Region:
	case "":
		return problem("no region is set", set)
	default:
		return problem(fmt.Sprintf("the region is %s, %s is in %s", s.Machine, s.Environment, s.Region), set)
	}
	// A region that is not enabled answers nothing; the partition's first one is always enabled.
	out, err := ec2.NewFromConfig(s.Cloud, func(o *ec2.Options) { o.Region = home(s.Region) }).
		DescribeRegions(ctx, &ec2.DescribeRegionsInput{AllRegions: aws.Bool(true), RegionNames: []string{s.Region}})
	switch {
	case code(err) == "InvalidParameterValue":
		return problem(fmt.Sprintf("there is no region %s", s.Region), "mend region in Pulumi."+s.Environment+".yaml")
	case err != nil:
		return asked(err)
	case len(out.Regions) == 1 && aws.ToString(out.Regions[0].OptInStatus) == "not-opted-in":
		return problem(fmt.Sprintf("region %s is not enabled in the account", s.Region), "aws account enable-region --region-name "+s.Region)
	}
	return ok("%s", s.Region)
}

// home is a region that is enabled in every account of a region's partition (AWS General Reference, "AWS Regions").
func home(region string) string {
	switch {
	case strings.HasPrefix(region, "cn-"):
		return "cn-north-1"
	case strings.HasPrefix(region, "us-gov-"):
		return "us-gov-west-1"
	}
	return "us-east-1"
}
