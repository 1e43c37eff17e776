package provider

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
	"github.com/pulumi/pulumi/sdk/v3/go/common/resource/plugin"
	"github.com/pulumi/pulumi/sdk/v3/go/common/tokens"
)

// ImageQuery is what aws:ec2/getAmi:getAmi asks for.
type ImageQuery struct {
	// Owners are account IDs or the aliases self, amazon, aws-marketplace; empty for any.
	Owners []string `json:"owners"`
	// Filters are EC2's: a name such as "image-id", "state" or "tag:Image-Key", and the values it may have. Tags that the
	// program asked for are among them.
	Filters []Filter `json:"filters"`
	// NameRegex is the regular expression of the name, "" for any.
	NameRegex string `json:"nameRegex"`
	// MostRecent says that only the newest of the matches is wanted.
	MostRecent bool              `json:"mostRecent"`
	Tags       map[string]string `json:"tags"`
}

// Filter is one filter of an ImageQuery.
type Filter struct {
	Name   string   `json:"name"`
	Values []string `json:"values"`
}

// Image is one AMI.
type Image struct {
	// ID, Name, Owner (account ID), State ("available", "pending", "failed") and Created (RFC 3339) as EC2 has them.
	ID, Name, Owner, State, Created string
	// Tags are the AMI's tags.
	Tags map[string]string
}

func (a AWS) functions() map[tokens.ModuleMember]Function {
	constant := func(result map[string]any) Function {
		return func(context.Context, resource.PropertyMap) (resource.PropertyMap, []plugin.CheckFailure, error) {
			return resource.NewPropertyMapFromMap(result), nil, nil
		}
	}
	zone := func(suffix string) string { return a.Region + suffix }
	return map[tokens.ModuleMember]Function{
		"aws:index/getCallerIdentity:getCallerIdentity": constant(o{
			"accountId": a.Account, "arn": "arn:aws:iam::" + a.Account + ":user/rehearsal", "id": a.Account,
			"userId": "AIDAREHEARSAL",
		}),
		"aws:index/getRegion:getRegion": constant(o{
			"name": a.Region, "id": a.Region, "description": a.Region, "endpoint": "ec2." + a.Region + ".amazonaws.com",
		}),
		"aws:index/getPartition:getPartition": constant(o{
			"partition": "aws", "id": "aws", "dnsSuffix": "amazonaws.com", "reverseDnsPrefix": "com.amazonaws",
		}),
		"aws:index/getAvailabilityZones:getAvailabilityZones": constant(o{
			"id": a.Region, "names": []any{zone("a"), zone("b"), zone("c")}, "zoneIds": []any{"az1", "az2", "az3"},
			"groupNames": []any{a.Region}, "state": "available",
		}),
		"aws:ec2/getAmi:getAmi":             a.getAMI,
		"aws:ssm/getParameter:getParameter": a.getParameter,
	}
}

func (a AWS) getAMI(ctx context.Context, args resource.PropertyMap) (
	resource.PropertyMap, []plugin.CheckFailure, error,
) {
	var query ImageQuery
	if err := decode(args, &query); err != nil {
		return nil, nil, err
	}
	for key, value := range query.Tags {
		query.Filters = append(query.Filters, Filter{Name: "tag:" + key, Values: []string{value}})
	}
	var images []Image
	if a.Images != nil {
		var err error
		if images, err = a.Images(ctx, query); err != nil {
			return nil, nil, err
		}
	}
	if len(images) == 0 {
		//lint:ignore ST1005 these are the real provider's words
		return nil, nil, fmt.Errorf("Your query returned no results. Please change your search criteria and try again.")
	}
	newest := images[0]
	for _, image := range images[1:] {
		if !query.MostRecent {
			//lint:ignore ST1005 these are the real provider's words
			return nil, nil, fmt.Errorf("Your query returned more than one result. Please try a more specific search criteria, or set `most_recent` attribute to true.")
		}
		if image.Created > newest.Created {
			newest = image
		}
	}
	tags := map[string]any{}
	for key, value := range newest.Tags {
		tags[key] = value
	}
	return resource.NewPropertyMapFromMap(o{
		"id": newest.ID, "imageId": newest.ID, "name": newest.Name, "ownerId": newest.Owner, "state": newest.State,
		"creationDate": newest.Created, "tags": tags, "arn": "arn:aws:ec2:" + a.Region + "::image/" + newest.ID,
		"architecture": "x86_64", "imageType": "machine", "rootDeviceName": "/dev/xvda", "rootDeviceType": "ebs",
		"virtualizationType": "hvm", "hypervisor": "xen", "platformDetails": "Linux/UNIX", "public": false,
	}), nil, nil
}

func (a AWS) getParameter(ctx context.Context, args resource.PropertyMap) (
	resource.PropertyMap, []plugin.CheckFailure, error,
) {
	name := text(args, "name")
	if a.LookupParameter == nil {
		return nil, nil, fmt.Errorf("reading SSM Parameter (%s): couldn't find resource", name)
	}
	value, found, err := a.LookupParameter(ctx, name)
	if err != nil {
		return nil, nil, err
	}
	if !found {
		return nil, nil, fmt.Errorf("reading SSM Parameter (%s): couldn't find resource", name)
	}
	out := resource.NewPropertyMapFromMap(o{
		"arn": "arn:aws:ssm:" + a.Region + ":" + a.Account + ":parameter/" + name, "id": name, "name": name,
		"insecureValue": value, "type": "String", "version": 1,
	})
	// The value is a secret to Pulumi whatever the parameter's type, as in the aws provider's schema.
	out["value"] = resource.MakeSecret(resource.NewStringProperty(value))
	return out, nil, nil
}

func decode(args resource.PropertyMap, target any) error {
	data, err := json.Marshal(args.Mappable())
	if err != nil {
		return err
	}
	return json.Unmarshal(data, target)
}
