package leftover_test

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/autoscaling"
	astypes "github.com/aws/aws-sdk-go-v2/service/autoscaling/types"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tekpossible/ha-devops/internal/leftover"
	"github.com/tekpossible/ha-devops/internal/rehearsal/awssim"
)

var tags = map[string]string{"product": "shop", "environment": "dev"}

// newAccount is an account with a launch template and a group of instances that never get healthy. deaf loses the answer to the first of
// each deletion.
func newAccount(t *testing.T, deaf bool) (*awssim.Account, leftover.Account) {
	sim := awssim.New(awssim.Options{AccountID: "111122223333", Region: "eu-west-1", Dir: t.TempDir()})
	lost := map[string]bool{}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		require.NoError(t, r.ParseForm())
		action := r.Form.Get("Action")
		if deaf && (action == "DeleteLaunchTemplate" || action == "DeleteAutoScalingGroup") && !lost[action] {
			lost[action] = true
			sim.ServeHTTP(httptest.NewRecorder(), r)
			panic(http.ErrAbortHandler)
		}
		sim.ServeHTTP(w, r)
	}))
	t.Cleanup(func() { server.Close(); sim.Close() })
	sim.PutLaunchTemplate("lt-1", 1, awssim.LaunchTemplate{Name: "shop-dev-app", Tags: tags, ImageID: "ami-1"})
	sim.PutLaunchTemplate("lt-1", 2, awssim.LaunchTemplate{Name: "shop-dev-app", Tags: tags, ImageID: "ami-2"})
	sim.PutLaunchTemplate("lt-2", 1, awssim.LaunchTemplate{Name: "other", ImageID: "ami-1"})
	for _, name := range []string{"shop-dev-app", "other"} {
		require.NoError(t, sim.PutGroup(awssim.Group{
			Name: name, Tags: tags, LaunchTemplateID: "lt-1", Version: 2, Min: 2, Desired: 2, Max: 2, Zones: []string{"eu-west-1a"},
		}))
	}
	cfg := aws.Config{Region: "eu-west-1", BaseEndpoint: &server.URL, Credentials: credentials.NewStaticCredentialsProvider("k", "s", "")}
	return sim, leftover.Account{Templates: ec2.NewFromConfig(cfg), Groups: autoscaling.NewFromConfig(cfg)}
}

func TestWhatIsThereIsFoundAndDeleted(t *testing.T) {
	for name, deaf := range map[string]bool{"": false, "the answer is lost": true} {
		t.Run(name, func(t *testing.T) {
			sim, account := newAccount(t, deaf)
			for typ, want := range map[string]string{
				leftover.Template: "launch template shop-dev-app (lt-1)", leftover.Group: "Auto Scaling group shop-dev-app",
			} {
				require.True(t, leftover.Known(typ))
				found, there, err := account.Find(t.Context(), typ, "shop-dev-app")
				require.NoError(t, err)
				require.True(t, there)
				assert.Equal(t, want, found.String())
				assert.Equal(t, tags, found.Tags)
				assert.WithinDuration(t, time.Now(), found.Created, time.Minute)

				require.NoError(t, account.Delete(t.Context(), found))
				_, there, err = account.Find(t.Context(), typ, "shop-dev-app")
				require.NoError(t, err)
				assert.False(t, there)
				require.NoError(t, account.Delete(t.Context(), found), "what is gone is deleted")
				_, there, err = account.Find(t.Context(), typ, "other")
				require.NoError(t, err)
				assert.True(t, there, "another one is left alone")
			}
			assert.Empty(t, sim.Instances("shop-dev-app"))
			assert.Len(t, sim.Instances("other"), 2)
		})
	}
	assert.False(t, leftover.Known("aws:autoscaling/policy:Policy"))
}

// TestAnotherOneOfItsNameIsNotDeleted: it was made after the first was found.
func TestAnotherOneOfItsNameIsNotDeleted(t *testing.T) {
	sim, account := newAccount(t, false)
	group, _, err := account.Find(t.Context(), leftover.Group, "shop-dev-app")
	require.NoError(t, err)
	template, _, err := account.Find(t.Context(), leftover.Template, "shop-dev-app")
	require.NoError(t, err)
	group.Created, template.ID = group.Created.Add(-time.Hour), "lt-0"
	require.NoError(t, account.Delete(t.Context(), group))
	require.NoError(t, account.Delete(t.Context(), template))
	assert.True(t, sim.GroupExists("shop-dev-app"))
	assert.True(t, sim.LaunchTemplateExists("shop-dev-app"))
}

// stuck is a group that nobody can delete, for a reason.
type stuck struct {
	leftover.Groups
	reason error
}

func (s stuck) DescribeAutoScalingGroups(context.Context, *autoscaling.DescribeAutoScalingGroupsInput, ...func(*autoscaling.Options)) (*autoscaling.DescribeAutoScalingGroupsOutput, error) {
	return &autoscaling.DescribeAutoScalingGroupsOutput{AutoScalingGroups: []astypes.AutoScalingGroup{{}}}, nil
}

func (s stuck) DeleteAutoScalingGroup(context.Context, *autoscaling.DeleteAutoScalingGroupInput, ...func(*autoscaling.Options)) (*autoscaling.DeleteAutoScalingGroupOutput, error) {
	return nil, s.reason
}

func TestWhatDoesNotGoIsNotWaitedForForever(t *testing.T) {
	denied := errors.New("access denied")
	for reason, within := range map[error]time.Duration{
		denied: 0,
		&astypes.ScalingActivityInProgressFault{}: 15 * time.Minute,
	} {
		synctest.Test(t, func(t *testing.T) {
			began := time.Now()
			err := leftover.Account{Groups: stuck{reason: reason}}.Delete(t.Context(), leftover.Resource{Type: leftover.Group, Name: "shop-dev-app", ID: "shop-dev-app"})
			assert.ErrorContains(t, err, "deleting Auto Scaling group shop-dev-app: ")
			assert.Equal(t, within, time.Since(began))
			assert.Equal(t, reason == denied, errors.Is(err, denied))
		})
	}
}
