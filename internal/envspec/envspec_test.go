package envspec_test

import (
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tekpossible/ha-devops/internal/envspec"
)

func TestWhatIsLeftOutKeepsItsDefault(t *testing.T) {
	spec, err := envspec.Parse([]byte(`{"instanceType": "m7g.large", "health": {"path": "/up"}}`))
	require.NoError(t, err)
	want := envspec.Default()
	want.InstanceType, want.Health.Path = "m7g.large", "/up"
	assert.Equal(t, want, spec)
	spec, err = envspec.Parse([]byte(" \n"))
	require.NoError(t, err)
	assert.Equal(t, envspec.Default(), spec)
}

func TestBadFiles(t *testing.T) {
	for name, c := range map[string]struct {
		content string
		want    []string
	}{
		"every problem at once": {
			`{"instanceType": "huge", "volumeGiB": 8, "capacity": {"min": 3, "max": 2}, "port": 80}`,
			[]string{`environment.json: instanceType: "huge"`, "environment.json: volumeGiB: 8", "environment.json: capacity.max: 2", "environment.json: port: 80"},
		},
		"health": {
			`{"health": {"path": "up", "graceSeconds": 0, "intervalSeconds": 5, "healthyThreshold": 1, "unhealthyThreshold": 11}}`,
			[]string{
				`environment.json: health.path: "up"`, "environment.json: health.graceSeconds: 0", "environment.json: health.intervalSeconds: 5 is not allowed; expected 6 to 300",
				"environment.json: health.healthyThreshold: 1", "environment.json: health.unhealthyThreshold: 11",
			},
		},
		"scaling and alarms": {
			`{"scaling": {"cpuPercent": 96, "requestsPerTarget": -1}, "alarms": {"errorPercent": 0, "latencyMilliseconds": 60001}}`,
			[]string{
				"environment.json: scaling.cpuPercent: 96", "environment.json: scaling.requestsPerTarget: -1",
				"environment.json: alarms.errorPercent: 0", "environment.json: alarms.latencyMilliseconds: 60001",
			},
		},
		"unknown key": {`{"instanceTyp": "t3.small"}`, []string{`environment.json: unknown field "instanceTyp"`}},
		"wrong type":  {"{\n\"port\": \"8080\"}", []string{"environment.json: line 2: port: a JSON string is not allowed"}},
		"syntax":      {"{\n\"port\": 1,,}", []string{"environment.json: line 2:"}},
		"cut off":     {`{"port": 8080`, []string{"environment.json: the file ends"}},
		"two values":  {`{} {}`, []string{"environment.json: something follows"}},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := envspec.Parse([]byte(c.content))
			for _, want := range c.want {
				assert.ErrorContains(t, err, want)
			}
		})
	}
}

func FuzzParse(f *testing.F) {
	f.Add([]byte(`{"instanceType": "m7g.large", "capacity": {"min": 1, "max": 2}}`))
	f.Add([]byte(`{`))
	f.Add([]byte(``))
	f.Fuzz(func(t *testing.T, content []byte) {
		spec, err := envspec.Parse(content)
		if err != nil {
			require.Contains(t, err.Error(), "environment.json")
			return
		}
		again, err := json.Marshal(spec)
		require.NoError(t, err)
		same, err := envspec.Parse(again)
		require.NoError(t, err)
		require.Equal(t, spec, same)
	})
}
