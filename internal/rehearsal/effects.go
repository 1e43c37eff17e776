package rehearsal

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"strings"

	"github.com/tekpossible/ha-devops/internal/rehearsal/awssim"
	"github.com/tekpossible/ha-devops/internal/rehearsal/githubsim"
	"github.com/tekpossible/ha-devops/internal/rehearsal/provider"
)

// awsEffects are what happens in the simulated account when a resource is made.
func (r *Rehearsal) awsEffects() provider.AWS {
	return provider.AWS{
		Account: account, Region: region,
		Bucket: provider.Effect{
			Put: func(_ context.Context, res provider.Resource) error {
				if r.aws.BucketExists(res.Name) {
					return nil
				}
				return r.aws.CreateBucket(res.Name)
			},
			Delete: func(_ context.Context, res provider.Resource) error { return r.aws.DeleteBucket(res.Name, false) },
		},
		Parameter: provider.Effect{
			Put: putDecoded(func(_ provider.Resource, in struct{ Name, Type, Value, InsecureValue string }) error {
				return r.aws.SetParameter(awssim.Parameter{Name: in.Name, Type: in.Type, Value: in.Value + in.InsecureValue})
			}),
			Delete: func(_ context.Context, res provider.Resource) error { return r.aws.DeleteParameter(res.Name) },
		},
		Component: provider.Effect{
			Put: putDecoded(func(res provider.Resource, in struct{ Name, Version, Data string }) error {
				return r.aws.PutComponent(res.ARN, in.Name, in.Version, in.Data)
			}),
			Delete: func(_ context.Context, res provider.Resource) error { return r.aws.DeleteComponent(res.ARN) },
		},
		Recipe: provider.Effect{
			Put: putDecoded(func(res provider.Resource, in struct {
				Name, Version, ParentImage string
				Components                 []struct{ ComponentArn string }
			},
			) error {
				recipe := awssim.Recipe{Name: in.Name, Version: in.Version, ParentImage: in.ParentImage}
				for _, c := range in.Components {
					recipe.Components = append(recipe.Components, awssim.ComponentRef{ARN: c.ComponentArn})
				}
				return r.aws.PutRecipe(res.ARN, recipe)
			}),
			Delete: func(_ context.Context, res provider.Resource) error { return r.aws.DeleteRecipe(res.ARN) },
		},
		Infrastructure: provider.Effect{
			Put: func(_ context.Context, res provider.Resource) error {
				r.aws.PutInfrastructure(res.ARN, awssim.Infrastructure{Name: res.Name})
				return nil
			},
			Delete: func(_ context.Context, res provider.Resource) error { return r.aws.DeleteInfrastructure(res.ARN) },
		},
		Distribution: provider.Effect{
			Put: putDecoded(func(res provider.Resource, in struct {
				Distributions []struct {
					AmiDistributionConfiguration struct {
						Name    string
						AmiTags map[string]string
					}
				}
			},
			) error {
				if len(in.Distributions) != 1 {
					return fmt.Errorf("distribution %s: %d regions; the rehearsal has one", res.Name, len(in.Distributions))
				}
				ami := in.Distributions[0].AmiDistributionConfiguration
				r.aws.PutDistribution(res.ARN, awssim.Distribution{AMIName: ami.Name, AMITags: ami.AmiTags})
				return nil
			}),
			Delete: func(_ context.Context, res provider.Resource) error { return r.aws.DeleteDistribution(res.ARN) },
		},
		ImagePipeline: provider.Effect{
			Put: putDecoded(func(res provider.Resource, in struct {
				Name, ImageRecipeArn, InfrastructureConfigurationArn, DistributionConfigurationArn string
			},
			) error {
				return r.aws.PutImagePipeline(res.ARN, awssim.ImagePipeline{
					Name: in.Name, RecipeARN: in.ImageRecipeArn, InfrastructureARN: in.InfrastructureConfigurationArn, DistributionARN: in.DistributionConfigurationArn,
				})
			}),
			Delete: func(_ context.Context, res provider.Resource) error { return r.aws.DeleteImagePipeline(res.ARN) },
		},
		LaunchTemplate: provider.Effect{
			Put:    putDecoded(r.putTemplate),
			Delete: func(_ context.Context, res provider.Resource) error { r.aws.DeleteLaunchTemplate(res.ID); return nil },
			Exists: r.aws.LaunchTemplateExists,
		},
		TargetGroup: provider.Effect{
			Put: putDecoded(func(res provider.Resource, in struct {
				Name        string
				Port        int
				HealthCheck struct{ Path, Matcher string }
			},
			) error {
				return r.aws.PutTargetGroup(res.ARN, awssim.TargetGroup{Name: in.Name, Port: in.Port, HealthPath: in.HealthCheck.Path, Matcher: in.HealthCheck.Matcher})
			}),
			Delete: func(_ context.Context, res provider.Resource) error { r.aws.DeleteTargetGroup(res.ARN); return nil },
		},
		AutoScalingGroup: provider.Effect{
			Put:    putDecoded(r.putGroup),
			Delete: func(_ context.Context, res provider.Resource) error { return r.aws.DeleteGroup(res.Name) },
			Exists: r.aws.GroupExists,
		},
		BuildProject: provider.Effect{
			Put: func(_ context.Context, res provider.Resource) error {
				return r.runner.PutProject(res.Name, res.Properties)
			},
			Delete: func(_ context.Context, res provider.Resource) error { r.runner.DeleteProject(res.Name); return nil },
		},
		Pipeline: provider.Effect{
			Put: func(_ context.Context, res provider.Resource) error {
				return r.runner.PutPipeline(res.Name, res.Properties)
			},
			Delete: func(_ context.Context, res provider.Resource) error { r.runner.DeletePipeline(res.Name); return nil },
		},
		Connection: provider.Effect{
			Put:    putDecoded(r.putConnection),
			Delete: func(_ context.Context, res provider.Resource) error { r.aws.DeleteConnection(res.ARN); return nil },
		},
		Certificate: provider.Effect{
			Put:    putDecoded(r.putCertificate),
			Delete: func(_ context.Context, res provider.Resource) error { r.aws.DeleteCertificate(res.ARN); return nil },
		},
		CertificateValidation: provider.Effect{Put: putDecoded(r.validate)},
		Network: provider.Effect{
			Put: putDecoded(func(res provider.Resource, in struct{ Tags map[string]string }) error {
				r.aws.PutNetwork(res.ID, in.Tags)
				return nil
			}),
			Delete: func(_ context.Context, res provider.Resource) error { r.aws.DeleteNetwork(res.ID); return nil },
		},
		Address: provider.Effect{
			Put:    func(_ context.Context, res provider.Resource) error { r.aws.PutAddress(res.ID); return nil },
			Delete: func(_ context.Context, res provider.Resource) error { r.aws.DeleteAddress(res.ID); return nil },
		},
		Images: r.images,
	}
}

type branch struct{ Repository, Branch, SourceBranch string }

// githubEffects are what happens on the simulated GitHub when a resource is made.
func (r *Rehearsal) githubEffects() provider.GitHub {
	return provider.GitHub{
		Owner: Owner, URL: r.people.url,
		Repository: provider.Effect{
			Put: putDecoded(func(res provider.Resource, in struct {
				Name, Description             string
				AutoInit, DeleteBranchOnMerge bool
			},
			) error {
				settings := githubsim.Repository{Name: in.Name, Description: in.Description, AutoInit: in.AutoInit, DeleteBranchOnMerge: in.DeleteBranchOnMerge, Private: true}
				if _, exists := r.github.Repository(in.Name); exists {
					return r.github.UpdateRepository(context.Background(), settings)
				}
				return r.github.CreateRepository(context.Background(), settings)
			}),
			Delete: func(_ context.Context, res provider.Resource) error { return r.github.ArchiveRepository(res.Name) },
		},
		Branch: provider.Effect{
			Put: func(ctx context.Context, res provider.Resource) error {
				var in branch
				if err := decode(res, &in); err != nil {
					return err
				}
				_, err := r.github.CreateBranch(ctx, in.Repository, in.Branch, in.SourceBranch)
				return err
			},
			Delete: func(ctx context.Context, res provider.Resource) error {
				var in branch
				if err := decode(res, &in); err != nil {
					return err
				}
				return r.github.DeleteBranch(ctx, in.Repository, in.Branch)
			},
		},
		DefaultBranch: provider.Effect{Put: putDecoded(r.putDefaultBranch)},
		File:          provider.Effect{Put: r.putFile},
		Ruleset: provider.Effect{
			Put: func(_ context.Context, res provider.Resource) error {
				ruleset, err := decodeRuleset(res)
				if err != nil {
					return err
				}
				return r.github.PutRuleset(ruleset.Repository, res.ID, ruleset)
			},
			Delete: func(_ context.Context, res provider.Resource) error {
				ruleset, err := decodeRuleset(res)
				if err != nil {
					return err
				}
				return r.github.DeleteRuleset(ruleset.Repository, res.ID)
			},
		},
		LookupFile: func(ctx context.Context, repository, ref, path string) (*provider.File, error) {
			file, found, err := r.github.ReadFile(ctx, strings.TrimPrefix(repository, Owner+"/"), ref, path)
			if err != nil || !found {
				return nil, err
			}
			return &provider.File{
				Content: string(file.Content), SHA: file.SHA, Commit: file.Commit.SHA, Author: file.Commit.Author.Name,
				Email: file.Commit.Author.Email, Message: file.Commit.Message,
			}, nil
		},
	}
}

// decodeRuleset is strict: a rule that the simulated GitHub does not enforce must not pass for one that it does.
func decodeRuleset(res provider.Resource) (githubsim.Ruleset, error) {
	var ruleset githubsim.Ruleset
	inputs := map[string]any{}
	for key, value := range res.Properties {
		switch key {
		case "etag", "nodeId", "rulesetId": // outputs
		default:
			inputs[key] = value
		}
	}
	text, err := json.Marshal(inputs)
	if err != nil {
		return ruleset, err
	}
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&ruleset); err != nil {
		return ruleset, fmt.Errorf("%s %s: %w", res.Type, res.LogicalName, err)
	}
	return ruleset, nil
}

// putDecoded decodes a resource's properties for an effect.
func putDecoded[T any](put func(provider.Resource, T) error) func(context.Context, provider.Resource) error {
	return func(_ context.Context, res provider.Resource) error {
		var in T
		if err := decode(res, &in); err != nil {
			return err
		}
		return put(res, in)
	}
}

// decode reads properties by their names, without regard to case.
func decode(res provider.Resource, into any) error {
	text, err := json.Marshal(res.Properties)
	if err != nil {
		return err
	}
	if err := json.Unmarshal(text, into); err != nil {
		return fmt.Errorf("%s %s: %w", res.Type, res.LogicalName, err)
	}
	return nil
}
