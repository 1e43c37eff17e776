package vars

import (
	"fmt"
	"reflect"
	"strings"
)

// Variable is one environment variable of a CodeBuild action.
type Variable struct {
	// Name is the variable's name.
	Name string
	// Value is its value, or the name of the SSM parameter that holds it.
	Value string
	// Parameter says that Value names an SSM parameter (CodeBuild's type PARAMETER_STORE).
	Parameter bool
}

// Write returns the variables of a struct of this package, in the order of its fields.
func Write(source any) []Variable {
	var out []Variable
	walk(reflect.ValueOf(source), func(field reflect.Value, name string, parameter bool) {
		out = append(out, Variable{Name: name, Value: field.String(), Parameter: parameter})
	})
	return out
}

// Names returns the variables' names of a struct of this package, in the order of its fields.
func Names(source any) []string {
	var out []string
	for _, v := range Write(source) {
		out = append(out, v.Name)
	}
	return out
}

// Read fills the struct that target points to from the environment. Its error names every variable that is missing.
func Read(target any, getenv func(string) string) error {
	var missing []string
	walk(reflect.ValueOf(target).Elem(), func(field reflect.Value, name string, _ bool) {
		value := getenv(name)
		if value == "" {
			missing = append(missing, name)
		}
		field.SetString(value)
	})
	if len(missing) > 0 {
		return &MissingError{Names: missing}
	}
	return nil
}

// MissingError says which variables the environment lacks.
type MissingError struct{ Names []string }

// Error names the variables and who sets them.
func (e *MissingError) Error() string {
	return fmt.Sprintf("environment: %s not set; the pipeline's action sets them, see pipelines/", strings.Join(e.Names, ", "))
}

func walk(v reflect.Value, visit func(field reflect.Value, name string, parameter bool)) {
	for i := range v.NumField() {
		field := v.Type().Field(i)
		if field.Anonymous {
			walk(v.Field(i), visit)
			continue
		}
		name, option, _ := strings.Cut(field.Tag.Get("env"), ",")
		visit(v.Field(i), name, option == "parameter")
	}
}
