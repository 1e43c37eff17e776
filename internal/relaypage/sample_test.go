package relaypage_test

import (
	"time"

	"github.com/tekpossible/ha-devops/internal/relaypage"
)

var began = time.Date(2026, 11, 24, 9, 30, 0, 0, time.UTC)

const (
	software = "a15ab995dbe9c1f0a7d24b6e83f5c9d01e2b3a44"
	image    = "e7bf977a5d41b7708f1d2c3e4a5b6c7d8e9f0a1b"
	subject  = "Checkout: retry a payment that timed out, once"
	report   = "buckets/demo-dev-reviews/reviews/dev/c0ffee/7c1e/report.html"
)

func at(seconds float64) time.Time {
	return began.Add(time.Duration(seconds * float64(time.Second)))
}

var release = relaypage.Release{ArtifactTag: "v1.9.0", AMI: "ami-719565ac325233dce", SoftwareCommit: software, ImageCommit: image}

// execution is one with stages, which are given as names and the seconds at which they began.
func execution(role string, ended float64, names []string, starts ...float64) relaypage.Execution {
	e := relaypage.Execution{
		Role: role, ID: "7c1e0d52-0b0b-4c57-8d6d-1f3b5a9c2e10", Status: relaypage.Succeeded, Commit: software, Subject: subject,
		Started: at(starts[0]), Ended: at(ended),
	}
	for i, name := range names {
		end := ended
		if i+1 < len(starts) {
			end = starts[i+1]
		}
		e.Stages = append(e.Stages, relaypage.Stage{Name: name, Status: relaypage.Succeeded, Started: at(starts[i]), Ended: at(end)})
	}
	return e
}

func executions(from float64, bake float64) []relaypage.Execution {
	infrastructure := execution("infrastructure", from+12.4+bake, []string{"Source", "Review", "Approve", "Deploy"}, from+3+bake, from+3.2+bake, from+6.4+bake, from+8+bake)
	infrastructure.Links = []relaypage.Link{{Text: "review", Address: report}}
	infrastructure.Commit, infrastructure.Subject = "5b1d8c3e9f7a20461c8e5d3b7f90a2c4e6d8b0f1", "ami-id: v1.9.0"
	baked := execution("image", from+3+bake, []string{"Source", "Bake"}, from+2.7, from+2.9)
	baked.Commit, baked.Subject = image, "config.json: v1.9.0"
	return []relaypage.Execution{execution("software", from+2.8, []string{"Source", "Build"}, from, from+.2), baked, infrastructure}
}

func instances(healthy ...bool) (all []relaypage.Instance) {
	for _, h := range healthy {
		all = append(all, relaypage.Instance{ID: "i-0a1b2c3d", AMI: release.AMI, Health: map[bool]string{true: "healthy", false: "unhealthy"}[h], Healthy: h})
	}
	return all
}

// rehearsed is a rehearsal that went well.
func rehearsed() relaypage.Page {
	return relaypage.Page{
		Title: "Rehearsal of the relay", Product: "demo", At: at(50), Note: "AWS, GitHub and the instances were simulated.",
		Lanes: []relaypage.Lane{
			{Environment: "dev", Runs: release, Instances: instances(true), Executions: executions(0, 2.7)},
			{Environment: "qa", Runs: release, Instances: instances(true, true), Executions: executions(16, .6)},
			{Environment: "main", Runs: release, Instances: instances(true, true), Executions: executions(30.5, .6)},
		},
	}
}

// failed is a rehearsal that failed in qa.
func failed() relaypage.Page {
	p := rehearsed()
	p.At = at(25)
	p.Failure = "pipeline demo-qa-infrastructure, stage Deploy: 2 of 2 instances are unhealthy:\n  /healthz answers 503"
	qa := &p.Lanes[1]
	qa.Executions[2].Status, qa.Executions[2].Stage = relaypage.Failed, "Deploy"
	qa.Executions[2].Stages[3].Status = relaypage.Failed
	qa.Executions[2].Reason = "2 of 2 instances are unhealthy:\n/healthz answers 503"
	qa.Executions[2].Hint = "mend the software, or roll qa back with relay rollback qa"
	qa.Executions[2].Links = append(qa.Executions[2].Links, relaypage.Link{Text: "log of Deploy", Address: "pipelines/logs/demo-qa-infrastructure/7c1e/Deploy.log"})
	qa.Runs, qa.Named, qa.Instances = relaypage.Release{ArtifactTag: "v1.8.2", AMI: "ami-0b1f3c5d7e9a2468c"}, release, instances(true, false)
	p.Lanes[2] = relaypage.Lane{Environment: "main"}
	return p
}

// status is the state of a real account: nothing but what is going on now, and no stages.
func status() relaypage.Page {
	run := func(role string, s relaypage.Status, started, ended time.Time) relaypage.Execution {
		return relaypage.Execution{Role: role, ID: "7c1e0d52", Status: s, Commit: software, Subject: subject, Started: started, Ended: ended}
	}
	day := func(n int) time.Time { return began.AddDate(0, 0, -n) }
	waiting := run("infrastructure", relaypage.Waiting, began.Add(-time.Hour), time.Time{})
	waiting.Stage = "Approve"
	broken := run("image", relaypage.Failed, day(1), day(1).Add(14*time.Minute))
	broken.Stage, broken.Reason, broken.Hint = "Bake", "the test script ended with exit status 1", "see the log"
	broken.Links = []relaypage.Link{{Text: "log", Address: "https://console.aws.example/log"}}
	older := relaypage.Release{ArtifactTag: "v1.8.2", AMI: "ami-0b1f3c5d7e9a2468c", SoftwareCommit: image}
	return relaypage.Page{
		Title: "State of the relay", Product: "shop", At: began,
		Lanes: []relaypage.Lane{
			{
				Environment: "dev", Runs: release, Holds: []relaypage.Hold{{Repository: "shop-image", Text: "v1.10 loses carts,\nask Kim"}},
				Executions: []relaypage.Execution{run("software", relaypage.Succeeded, day(2), day(2).Add(4*time.Minute)), broken},
			},
			{
				Environment: "qa", Runs: older, Named: release, Promotion: "dev runs this release too.",
				Waiting: &relaypage.Review{
					Since: began.Add(-50 * time.Minute), Summary: "1 to update, 3 to create",
					Report: "https://s3.console.aws.example/report.html", Command: "relay approve qa 9f86d081884c",
				},
				Executions: []relaypage.Execution{waiting},
			},
			{Environment: "main", Runs: older, Problems: []string{"looking at pipeline shop-main-software: access denied"}, Promotion: "qa runs another release."},
		},
	}
}

var samples = map[string]func() relaypage.Page{"rehearsed": rehearsed, "failed": failed, "status": status}
