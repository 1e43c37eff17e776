package stack

import (
	"errors"
	"testing"

	"github.com/pulumi/pulumi/sdk/v3/go/common/apitype"
	"github.com/stretchr/testify/assert"
)

func TestCauseIsWhatWentWrong(t *testing.T) {
	whole := errors.New("failed to run update: exit status 255\ncode: 255\nstdout: Updating (dev):\n\nstderr: error: \x1b[31mno such stack\x1b[0m\n")
	assert.EqualError(t, cause(whole, nil), "no such stack")
	assert.EqualError(t, cause(whole, []string{"an unhandled error occurred: program failed: 1 error occurred:\n\t* ami-id: bad\n\n", "update failed"}),
		"ami-id: bad")
	strange := errors.New("something else")
	assert.Equal(t, strange, cause(strange, nil))
}

func TestChangesSayWhatAPreviewWouldDo(t *testing.T) {
	var c Changes
	for _, op := range []apitype.OpType{apitype.OpSame, apitype.OpCreate, apitype.OpCreate, apitype.OpReplace, apitype.OpCreateReplacement, apitype.OpDelete} {
		c = c.add(apitype.StepEventMetadata{Op: op, URN: "urn:pulumi:dev::ha-devops::ha-devops:index:X$aws:y/z:Z::name", Diffs: []string{"b", "a"}})
	}
	assert.Equal(t, "1 to delete, 1 to replace, 2 to create", c.Summary())
	assert.Equal(t, "name", c[0].Name)
	assert.Equal(t, []string{"a", "b"}, c[0].Properties)
	assert.Equal(t, "no changes", Changes(nil).Summary())
}
