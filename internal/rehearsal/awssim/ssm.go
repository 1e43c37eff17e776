package awssim

import (
	"fmt"
	"strings"
	"time"
)

// Parameter is an SSM parameter.
type Parameter struct {
	Name string
	// Type is String, StringList or SecureString; "" is String.
	Type  string
	Value string
	// Tier is Standard or Advanced; "" is Standard.
	Tier string
}

type parameter struct {
	Parameter
	version  int64
	modified time.Time
}

// parameterLimits are how many bytes a value may have.
// https://docs.aws.amazon.com/systems-manager/latest/userguide/parameter-store-advanced-parameters.html
var parameterLimits = map[string]int{"Standard": 4096, "Advanced": 8192}

// SetParameter creates or overwrites a parameter. A value that its tier does not hold is refused, as SSM does.
func (a *Account) SetParameter(p Parameter) error {
	_, err := a.setParameter(p, true)
	return err
}

func (a *Account) setParameter(p Parameter, overwrite bool) (int64, error) {
	if p.Type == "" {
		p.Type = "String"
	}
	if p.Tier == "" {
		p.Tier = "Standard"
	}
	limit, ok := parameterLimits[p.Tier]
	if !ok {
		return 0, refuse("ValidationException", "parameter %q: tier %q is neither Standard nor Advanced", p.Name, p.Tier)
	}
	if len(p.Value) == 0 || len(p.Value) > limit {
		return 0, refuse("ValidationException", "parameter %q: its value has %d bytes; tier %s holds 1 to %d",
			p.Name, len(p.Value), p.Tier, limit)
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	old := a.parameters[p.Name]
	if old == nil {
		old = &parameter{}
	} else if !overwrite {
		return 0, refuse("ParameterAlreadyExists", "the parameter %q already exists; to overwrite it, set overwrite", p.Name)
	}
	a.parameters[p.Name] = &parameter{p, old.version + 1, time.Now()}
	return old.version + 1, nil
}

// Parameter returns a parameter, and whether there is one of this name.
func (a *Account) Parameter(name string) (Parameter, bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if p, ok := a.parameters[name]; ok {
		return p.Parameter, true
	}
	return Parameter{}, false
}

// DeleteParameter deletes a parameter; that there is none is an error.
func (a *Account) DeleteParameter(name string) error {
	a.mu.Lock()
	defer a.mu.Unlock()
	if _, ok := a.parameters[name]; !ok {
		return fmt.Errorf("deleting parameter %q: there is none", name)
	}
	delete(a.parameters, name)
	return nil
}

type parameterJSON struct {
	Name, Type, Value, ARN, DataType string
	Version                          int64
	LastModifiedDate                 float64
}

type (
	putParameterInput struct {
		Name, Type, Value, Tier string
		Overwrite               bool
	}
	getParameterInput struct {
		Name           string
		WithDecryption bool
	}
	getParametersInput struct {
		Names          []string
		WithDecryption bool
	}
)

func (a *Account) ssmActions() map[string]JSONAction {
	return map[string]JSONAction{
		"PutParameter": decoding(func(in putParameterInput) (any, error) {
			version, err := a.setParameter(Parameter{in.Name, in.Type, in.Value, in.Tier}, in.Overwrite)
			if err != nil {
				return nil, err
			}
			a.log("ssm", in.Name, "parameter set to version %d", version)
			return map[string]any{"Version": version}, nil
		}),
		"GetParameter": decoding(func(in getParameterInput) (any, error) {
			p, ok := a.describeParameter(in.Name, in.WithDecryption)
			if !ok {
				return nil, refuse("ParameterNotFound", "there is no parameter %q", in.Name)
			}
			return map[string]any{"Parameter": p}, nil
		}),
		"GetParameters": decoding(func(in getParametersInput) (any, error) {
			found, invalid := []parameterJSON{}, []string{}
			for _, name := range in.Names {
				if p, ok := a.describeParameter(name, in.WithDecryption); ok {
					found = append(found, p)
				} else {
					invalid = append(invalid, name)
				}
			}
			return map[string]any{"Parameters": found, "InvalidParameters": invalid}, nil
		}),
	}
}

func (a *Account) describeParameter(name string, decrypt bool) (parameterJSON, bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	p, ok := a.parameters[name]
	if !ok {
		return parameterJSON{}, false
	}
	value := p.Value
	if p.Type == "SecureString" && !decrypt {
		value = "(encrypted: ask with decryption)" // a caller that forgot to ask gets no more from SSM either
	}
	return parameterJSON{
		Name: name, Type: p.Type, Value: value, ARN: a.arn("ssm", "parameter/"+strings.TrimPrefix(name, "/")), DataType: "text",
		Version: p.version, LastModifiedDate: seconds(p.modified),
	}, true
}

// seconds is how the JSON protocols write a time.
func seconds(t time.Time) float64 { return float64(t.UnixMilli()) / 1000 }
