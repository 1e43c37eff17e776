package stack

import (
	"errors"
	"testing"

	"github.com/pulumi/pulumi/sdk/v3/go/common/apitype"
	"github.com/pulumi/pulumi/sdk/v3/go/common/resource/plugin"
	"github.com/pulumi/pulumi/sdk/v3/go/common/resource/sig"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tekpossible/ha-devops/internal/preview"
)

func TestCauseIsWhatWentWrong(t *testing.T) {
	whole := errors.New("failed to run update: exit status 255\ncode: 255\nstdout: Updating (dev):\n\nstderr: error: \x1b[31mno such stack\x1b[0m\n")
	assert.EqualError(t, cause(whole, nil), "no such stack")
	assert.EqualError(t, cause(whole, []string{"an unhandled error occurred: program failed: 1 error occurred:\n\t* ami-id: bad\n\n", "update failed"}),
		"ami-id: bad")
	strange := errors.New("something else")
	assert.Equal(t, strange, cause(strange, nil))
}

func TestAStepBecomesPlainData(t *testing.T) {
	secret := map[string]any{sig.Key: sig.Secret, "ciphertext": "[secret]"}
	step := apitype.StepEventMetadata{
		Op: apitype.OpReplace, URN: "urn:pulumi:dev::p::a:b:C::thing", Type: "a:b:C",
		Old: &apitype.StepEventStateMetadata{
			Parent: "urn:parent", Protect: true, Outputs: map[string]any{"port": 81.0},
			Inputs: map[string]any{"size": 1.0, "password": secret, "gone": "x", "__defaults": []any{}},
		},
		New: &apitype.StepEventStateMetadata{Parent: "urn:parent", Inputs: map[string]any{
			"size": 2.0, "password": secret, "rules": []any{map[string]any{"cidr": "0.0.0.0/0"}}, "port": 80.0, "vpc": plugin.UnknownStringValue,
			"code": map[string]any{sig.Key: sig.AssetSig, "hash": "ab"},
		}},
		DetailedDiff: map[string]apitype.PropertyDiff{
			"size":          {Kind: apitype.DiffUpdateReplace, InputDiff: true},
			"rules[0].cidr": {Kind: apitype.DiffAdd, InputDiff: true},
			"gone":          {Kind: apitype.DiffDelete, InputDiff: true},
			"password":      {Kind: apitype.DiffUpdate, InputDiff: true},
			"port":          {Kind: apitype.DiffUpdate},
		},
	}
	r, ok := planned(step)
	require.True(t, ok)
	assert.Equal(t, preview.Resource{
		URN: step.URN, Type: "a:b:C", Parent: "urn:parent", Op: preview.Replace, Protected: true,
		Before: map[string]any{"size": 1.0, "password": preview.Secret, "gone": "x"},
		After: map[string]any{
			"size": 2.0, "password": preview.Secret, "rules": []any{map[string]any{"cidr": "0.0.0.0/0"}}, "port": 80.0, "vpc": preview.Unknown,
			"code": "asset ab",
		},
		Changes: []preview.Property{
			{Path: "gone", Op: preview.Delete, Before: "x"},
			{Path: "password", Op: preview.Update, Before: preview.Secret, After: preview.Secret},
			{Path: "port", Op: preview.Update, Before: 81.0, After: 80.0},
			{Path: "rules[0].cidr", Op: preview.Create, After: "0.0.0.0/0"},
			{Path: "size", Op: preview.Update, Replaces: true, Before: 1.0, After: 2.0},
		},
	}, r)
	for _, part := range []apitype.OpType{apitype.OpCreateReplacement, apitype.OpDeleteReplaced} {
		step.Op = part
		_, ok := planned(step)
		assert.False(t, ok, "%s is part of the replacement", part)
	}
	step.Op, step.New = apitype.OpDelete, nil
	r, _ = planned(step)
	assert.Nil(t, r.After)
	assert.Equal(t, "urn:parent", r.Parent)
	step.Op, step.DetailedDiff, step.Diffs, step.Keys = apitype.OpUpdate, nil, []string{"size"}, nil
	step.New = step.Old
	r, _ = planned(step)
	assert.Equal(t, []preview.Property{{Path: "size", Op: preview.Update, Before: 1.0, After: 1.0}}, r.Changes)
}
