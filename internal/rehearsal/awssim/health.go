package awssim

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// TargetGroup is a target group of a load balancer.
type TargetGroup struct {
	Name string
	// Port is the group's own. Instances listen on one of their own each, as they share a machine.
	Port int
	// HealthPath is the path of the health check; "" is "/".
	HealthPath string
	// Matcher says which status codes are healthy: "200", "200,302" or "200-299"; "" is "200".
	Matcher string
	// HealthyThreshold and UnhealthyThreshold are how many checks in a row make the verdict; 0 is 1 and 2.
	HealthyThreshold, UnhealthyThreshold int
}

// PutTargetGroup adds or updates a target group. A matcher that is not of the documented form is an error.
func (a *Account) PutTargetGroup(arn string, target TargetGroup) error {
	if target.HealthPath == "" {
		target.HealthPath = "/"
	}
	if target.Matcher == "" {
		target.Matcher = "200"
	}
	target.HealthyThreshold = max(target.HealthyThreshold, 1)
	if target.UnhealthyThreshold == 0 {
		target.UnhealthyThreshold = 2
	}
	if _, err := matchStatus(target.Matcher, 0); err != nil {
		return fmt.Errorf("target group %s: %w", arn, err)
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	a.targetGroups[arn] = target
	return nil
}

// DeleteTargetGroup deletes a target group, if there is one. Groups that name it are no longer checked through it.
func (a *Account) DeleteTargetGroup(arn string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	delete(a.targetGroups, arn)
}

// matchStatus says whether a status code is among those of a matcher.
func matchStatus(matcher string, status int) (bool, error) {
	matches := false
	for part := range strings.SplitSeq(matcher, ",") {
		low, high, isRange := strings.Cut(part, "-")
		if !isRange {
			high = low
		}
		from, err1 := strconv.Atoi(low)
		to, err2 := strconv.Atoi(high)
		if err1 != nil || err2 != nil || from > to {
			return false, fmt.Errorf("matcher %q: expected status codes such as 200, 200,302 or 200-299", matcher)
		}
		matches = matches || from <= status && status <= to
	}
	return matches, nil
}

func (a *Account) checksOf(in *instance) []TargetGroup {
	a.mu.Lock()
	defer a.mu.Unlock()
	var checks []TargetGroup
	for _, arn := range in.group.TargetGroupARNs {
		if target, ok := a.targetGroups[arn]; ok {
			checks = append(checks, target)
		}
	}
	return checks
}

// checker counts the health checks of one run of a service.
type checker struct{ good, bad int }

// next checks once and returns the verdict, Starting while there is none, and what was wrong if anything was. An instance
// without target groups is healthy when its service runs, as EC2's own checks see no more.
func (c *checker) next(ctx context.Context, url string, checks []TargetGroup) (verdict Health, problem string) {
	healthyAfter, unhealthyAfter := 1, 1
	for _, check := range checks {
		healthyAfter = max(healthyAfter, check.HealthyThreshold)
		unhealthyAfter = max(unhealthyAfter, check.UnhealthyThreshold)
		if problem == "" {
			problem = ask(ctx, url, check)
		}
	}
	if problem == "" {
		c.good, c.bad = c.good+1, 0
	} else {
		c.good, c.bad = 0, c.bad+1
	}
	switch {
	case c.good >= healthyAfter:
		return Healthy, ""
	case c.bad >= unhealthyAfter:
		return Unhealthy, problem
	}
	return Starting, problem
}

// client asks for health without a proxy, without following redirects, which are answers, and without keeping connections.
var client = &http.Client{
	Timeout:       time.Second,
	Transport:     &http.Transport{DisableKeepAlives: true},
	CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
}

// ask returns what is wrong with the answer to a health check, "" if it is healthy.
func ask(ctx context.Context, url string, check TargetGroup) string {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url+check.HealthPath, nil)
	if err != nil {
		return err.Error()
	}
	response, err := client.Do(request)
	if err != nil {
		return fmt.Sprintf("health check GET %s: %s", check.HealthPath, errors.Unwrap(err))
	}
	defer response.Body.Close()
	io.Copy(io.Discard, io.LimitReader(response.Body, 1<<20)) // the status is the answer
	if ok, _ := matchStatus(check.Matcher, response.StatusCode); !ok {
		return fmt.Sprintf("health check GET %s: status %d, expected %s", check.HealthPath, response.StatusCode, check.Matcher)
	}
	return ""
}
