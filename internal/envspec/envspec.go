// Package envspec reads environment.json, the file of the infrastructure repository that says what all environments have in
// common: the shape of the systems. What differs between environments is not in it; see environments.Profile.
package envspec

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"regexp"
	"strings"
)

// File is the file's name at the root of the infrastructure repository's branches.
const File = "environment.json"

// Spec is the shape of an environment's systems. A key that the file leaves out keeps the value of Default.
type Spec struct {
	// InstanceType is an EC2 instance type such as "t3.small".
	InstanceType string `json:"instanceType"`
	// VolumeGiB is the size of an instance's root volume, at least that of its image's.
	VolumeGiB int `json:"volumeGiB"`
	// Capacity is how many instances run in production; a profile may ask for fewer.
	Capacity Capacity `json:"capacity"`
	// Port is the TCP port on which the software answers HTTP.
	Port int `json:"port"`
	// Health is how the load balancer finds out whether an instance works.
	Health Health `json:"health"`
	// Scaling is when instances are added and removed.
	Scaling Scaling `json:"scaling"`
	// Alarms is when operators are told.
	Alarms Alarms `json:"alarms"`
}

// Capacity is a number of instances.
type Capacity struct {
	Min int `json:"min"`
	Max int `json:"max"`
}

// Health is a health check over HTTP.
type Health struct {
	// Path is what the load balancer asks for; 200 means healthy.
	Path string `json:"path"`
	// GraceSeconds is how long a new instance may take until its first healthy answer.
	GraceSeconds int `json:"graceSeconds"`
	// IntervalSeconds is the time between two checks.
	IntervalSeconds int `json:"intervalSeconds"`
	// HealthyThreshold is after how many good answers an instance works, UnhealthyThreshold after how many bad ones it does not.
	HealthyThreshold   int `json:"healthyThreshold"`
	UnhealthyThreshold int `json:"unhealthyThreshold"`
}

// Scaling are the targets that Auto Scaling keeps.
type Scaling struct {
	// CPUPercent is the average processor use over all instances.
	CPUPercent int `json:"cpuPercent"`
	// RequestsPerTarget is the number of requests that an instance gets in a minute; with 0 requests do not count.
	RequestsPerTarget int `json:"requestsPerTarget"`
}

// Alarms are the limits beyond which operators are told.
type Alarms struct {
	// ErrorPercent is the share of requests that may be answered with an error.
	ErrorPercent int `json:"errorPercent"`
	// LatencyMilliseconds is what 99 of 100 answers may take.
	LatencyMilliseconds int `json:"latencyMilliseconds"`
}

// Default is the shape where the file says nothing.
func Default() Spec {
	return Spec{
		InstanceType: "t3.small",
		VolumeGiB:    16,
		Capacity:     Capacity{Min: 2, Max: 6},
		Port:         8080,
		Health:       Health{Path: "/healthz", GraceSeconds: 60, IntervalSeconds: 10, HealthyThreshold: 2, UnhealthyThreshold: 3},
		Scaling:      Scaling{CPUPercent: 50},
		Alarms:       Alarms{ErrorPercent: 5, LatencyMilliseconds: 2000},
	}
}

// Parse reads the file's content; empty content is Default. Its error names every problem at once, each with the file, the
// key, the value and what is allowed.
func Parse(content []byte) (Spec, error) {
	spec := Default()
	if len(bytes.TrimSpace(content)) == 0 {
		return spec, nil
	}
	decoder := json.NewDecoder(bytes.NewReader(content))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&spec); err != nil {
		return Spec{}, syntaxError(content, err)
	}
	if _, err := decoder.Token(); !errors.Is(err, io.EOF) {
		return Spec{}, fmt.Errorf("%s: something follows the closing brace; expected one JSON object", File)
	}
	return spec, spec.validate()
}

var (
	instanceType = regexp.MustCompile(`^[a-z][a-z0-9-]*\.[a-z0-9-]+$`)
	healthPath   = regexp.MustCompile(`^/[A-Za-z0-9._~/%?&=-]*$`)
)

func (s Spec) validate() error {
	var problems []error
	check := func(ok bool, key string, value any, allowed string) {
		if !ok {
			problems = append(problems, fmt.Errorf("%s: %s: %v is not allowed; expected %s", File, key, value, allowed))
		}
	}
	check(instanceType.MatchString(s.InstanceType), "instanceType", fmt.Sprintf("%q", s.InstanceType), `an EC2 instance type such as "t3.small"`)
	check(s.VolumeGiB >= 16 && s.VolumeGiB <= 16384, "volumeGiB", s.VolumeGiB, "16 to 16384")
	check(s.Capacity.Min >= 1 && s.Capacity.Min <= 500, "capacity.min", s.Capacity.Min, "1 to 500")
	check(s.Capacity.Max >= s.Capacity.Min && s.Capacity.Max <= 500, "capacity.max", s.Capacity.Max, "capacity.min to 500")
	check(s.Port >= 1024 && s.Port <= 65535, "port", s.Port, "1024 to 65535")
	check(healthPath.MatchString(s.Health.Path), "health.path", fmt.Sprintf("%q", s.Health.Path), "a path that begins with /")
	check(s.Health.GraceSeconds >= 1 && s.Health.GraceSeconds <= 7200, "health.graceSeconds", s.Health.GraceSeconds, "1 to 7200")
	// The load balancer waits 5 seconds for an answer.
	check(s.Health.IntervalSeconds >= 6 && s.Health.IntervalSeconds <= 300, "health.intervalSeconds", s.Health.IntervalSeconds, "6 to 300")
	check(s.Health.HealthyThreshold >= 2 && s.Health.HealthyThreshold <= 10, "health.healthyThreshold", s.Health.HealthyThreshold, "2 to 10")
	check(s.Health.UnhealthyThreshold >= 2 && s.Health.UnhealthyThreshold <= 10, "health.unhealthyThreshold", s.Health.UnhealthyThreshold, "2 to 10")
	check(s.Scaling.RequestsPerTarget >= 0 && s.Scaling.RequestsPerTarget <= 1_000_000, "scaling.requestsPerTarget", s.Scaling.RequestsPerTarget, "0 to 1000000")
	check(s.Alarms.ErrorPercent >= 1 && s.Alarms.ErrorPercent <= 99, "alarms.errorPercent", s.Alarms.ErrorPercent, "1 to 99")
	check(s.Alarms.LatencyMilliseconds >= 1 && s.Alarms.LatencyMilliseconds <= 60_000, "alarms.latencyMilliseconds", s.Alarms.LatencyMilliseconds, "1 to 60000")
	check(s.Scaling.CPUPercent >= 10 && s.Scaling.CPUPercent <= 95, "scaling.cpuPercent", s.Scaling.CPUPercent, "10 to 95")
	return errors.Join(problems...)
}

func syntaxError(content []byte, err error) error {
	var syntax *json.SyntaxError
	var kind *json.UnmarshalTypeError
	switch {
	case errors.As(err, &syntax):
		return fmt.Errorf("%s: line %d: %w", File, line(content, syntax.Offset), err)
	case errors.As(err, &kind):
		return fmt.Errorf("%s: line %d: %s: a JSON %s is not allowed; expected %s", File, line(content, kind.Offset), kind.Field, kind.Value, kind.Type)
	case errors.Is(err, io.ErrUnexpectedEOF):
		return fmt.Errorf("%s: the file ends in the middle of the JSON object", File)
	}
	return fmt.Errorf("%s: %s", File, strings.TrimPrefix(err.Error(), "json: "))
}

func line(content []byte, offset int64) int {
	return 1 + bytes.Count(content[:min(int(offset), len(content))], []byte("\n"))
}
