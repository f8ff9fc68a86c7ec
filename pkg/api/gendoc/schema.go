package main

import (
	"fmt"
	"path"
	"reflect"
	"strings"
	"time"

	"github.com/temporal-sre/copilot/pkg/health"
	"github.com/temporal-sre/copilot/pkg/instant"
)

// object is a JSON object.
type object = map[string]any

// schemas writes the JSON schemas of types, each named one once.
type schemas struct {
	comments *comments
	named    object
}

// Types whose JSON is not what their fields say.
var (
	typeInstant  = reflect.TypeFor[instant.Instant]()
	typeState    = reflect.TypeFor[health.State]()
	typeDuration = reflect.TypeFor[time.Duration]()
)

// open are types of text whose constants are not all that there may be.
var open = map[string]bool{"health.SignalID": true}

// nameOf returns a type's name as the comments know it.
func nameOf(t reflect.Type) string { return path.Base(t.PkgPath()) + "." + t.Name() }

// of returns the schema of a type.
func (s *schemas) of(t reflect.Type) (object, error) {
	switch t {
	case typeInstant:
		return object{"type": []string{"string", "null"}, "format": "date-time"}, nil
	case typeDuration:
		return object{"type": "integer", "description": "Nanoseconds."}, nil
	case typeState:
		names := []string{}
		for _, state := range health.States() {
			names = append(names, state.String())
		}
		return object{"type": "string", "enum": names}, nil
	}
	switch t.Kind() {
	case reflect.Bool:
		return object{"type": "boolean"}, nil
	case reflect.Int, reflect.Int32, reflect.Int64:
		return object{"type": "integer"}, nil
	case reflect.Float64:
		return object{"type": "number"}, nil
	case reflect.String:
		schema := object{"type": "string"}
		if values := s.comments.values[nameOf(t)]; t.Name() != "string" && !open[nameOf(t)] && len(values) > 0 {
			schema["enum"] = values
		}
		return schema, nil
	case reflect.Pointer:
		element, err := s.of(t.Elem())
		if err != nil {
			return nil, err
		}
		if kind, ok := element["type"].(string); ok {
			element["type"] = []string{kind, "null"}
			return element, nil
		}
		return object{"oneOf": []any{element, object{"type": "null"}}}, nil
	case reflect.Slice:
		element, err := s.of(t.Elem())
		return object{"type": "array", "items": element}, err
	case reflect.Map:
		element, err := s.of(t.Elem())
		return object{"type": "object", "additionalProperties": element}, err
	case reflect.Struct:
		return s.reference(t)
	case reflect.Interface:
		return object{}, nil
	}
	return nil, fmt.Errorf("there is no schema for %s", t)
}

// reference returns a reference to the schema of a structure, which it writes
// if that is not there yet.
func (s *schemas) reference(t reflect.Type) (object, error) {
	if _, found := s.named[t.Name()]; !found {
		schema := object{"type": "object"}
		s.named[t.Name()] = schema
		properties, required := object{}, []string{}
		if err := s.fields(t, properties, &required); err != nil {
			return nil, err
		}
		schema["properties"], schema["required"] = properties, required
		if doc := s.comments.of[nameOf(t)]; doc != "" {
			schema["description"] = doc
		}
	}
	return object{"$ref": "#/components/schemas/" + t.Name()}, nil
}

// fields adds the fields of a structure, and of those that it embeds.
func (s *schemas) fields(t reflect.Type, properties object, required *[]string) error {
	for i := range t.NumField() {
		field := t.Field(i)
		tag := field.Tag.Get("json")
		name, options, _ := strings.Cut(tag, ",")
		if field.Anonymous && name == "" {
			embedded := field.Type
			if embedded.Kind() == reflect.Pointer {
				embedded = embedded.Elem()
			}
			if err := s.fields(embedded, properties, required); err != nil {
				return err
			}
			continue
		}
		if !field.IsExported() || tag == "-" {
			continue
		}
		if name == "" {
			return fmt.Errorf("%s.%s has no name in JSON", t, field.Name)
		}
		if _, twice := properties[name]; twice {
			return fmt.Errorf("%s has two fields %q", t, name)
		}
		schema, err := s.of(field.Type)
		if err != nil {
			return err
		}
		optional := strings.Contains(options, "omitempty") || strings.Contains(options, "omitzero")
		if !optional {
			*required = append(*required, name)
		}
		if optional && field.Type == typeInstant {
			schema["type"] = "string"
		}
		doc := s.comments.of[nameOf(t)+"."+field.Name]
		// What is null for a reason that its comment tells.
		if strings.Contains(doc, " is null ") && field.Type.Kind() == reflect.Slice {
			schema["type"] = []string{"array", "null"}
		}
		if doc != "" {
			schema["description"] = doc
		}
		properties[name] = schema
	}
	return nil
}
