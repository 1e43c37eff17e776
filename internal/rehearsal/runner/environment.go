package runner

import (
	"encoding/json"
	"fmt"
	"maps"
	"strings"
)

// environment is everything that the build's processes see: the machine's, CodeBuild's own, the buildspec's, the project's
// and the action's variables; a later one goes before an earlier one of the same name.
func (b *build) environment(spec *buildspec, action string) (map[string]string, error) {
	environment := map[string]string{}
	for _, entry := range b.job.runner.opts.Environ() {
		key, value, _ := strings.Cut(entry, "=")
		environment[key] = value
	}
	maps.Copy(environment, b.own(environment))
	// Whose call it is, a service is told by the User-Agent here; on AWS by the session of the build's role.
	environment["AWS_SDK_UA_APP_ID"] = b.record.ID
	var variables []variable
	for _, source := range []struct {
		values map[string]string
		kind   string
	}{
		{spec.Env.Variables, typePlaintext}, {spec.Env.ParameterStore, typeParameter}, {spec.Env.SecretsManager, typeSecret},
	} {
		for name, value := range source.values {
			variables = append(variables, variable{Name: name, Value: value, Type: source.kind})
		}
	}
	variables = append(variables, b.project.Environment.EnvironmentVariables...)
	ofAction, err := parseVariables(action)
	if err != nil {
		return nil, err
	}
	for _, v := range ofAction {
		if v.Value, err = b.job.execution.resolve(v.Value); err != nil {
			return nil, fmt.Errorf("variable %s: %w", v.Name, err)
		}
		variables = append(variables, v)
	}
	for _, v := range variables {
		if environment[v.Name], err = b.job.runner.value(v); err != nil {
			return nil, fmt.Errorf("variable %s: %w", v.Name, err)
		}
	}
	return environment, nil
}

// value is a variable's value, looked up where its type says.
func (r *Runner) value(v variable) (string, error) {
	switch v.Type {
	case typeParameter:
		if r.opts.Parameter != nil {
			if value, found := r.opts.Parameter(v.Value); found {
				return value, nil
			}
		}
		return "", fmt.Errorf("SSM parameter %q does not exist", v.Value)
	case typeSecret:
		id, key := splitSecret(v.Value)
		if r.opts.Secret != nil {
			if value, found := r.opts.Secret(id); found {
				return secretKey(id, key, value)
			}
		}
		return "", fmt.Errorf("secret %q does not exist", id)
	default:
		return v.Value, nil
	}
}

// splitSecret takes a reference secret-id:json-key:version-stage:version-id apart; an ARN has six colons of its own.
func splitSecret(text string) (id, key string) {
	parts := strings.Split(text, ":")
	own := 1
	if parts[0] == "arn" {
		own = 7
	}
	if len(parts) > own {
		return strings.Join(parts[:own], ":"), parts[own]
	}
	return text, ""
}

func secretKey(id, key, value string) (string, error) {
	if key == "" {
		return value, nil
	}
	var fields map[string]any
	if json.Unmarshal([]byte(value), &fields) != nil {
		return "", fmt.Errorf("secret %q is not a JSON object, its key %q is wanted", id, key)
	}
	field, ok := fields[key]
	if !ok {
		return "", fmt.Errorf("secret %q has no key %q", id, key)
	}
	return fmt.Sprint(field), nil
}
