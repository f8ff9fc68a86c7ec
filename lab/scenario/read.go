package scenario

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"regexp"
	"strconv"
	"strings"

	"gopkg.in/yaml.v3"
)

// Read reads a scenario file and reports everything that is wrong with it at
// once, a line each.
func Read(path string) (*Scenario, error) {
	content, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("read the scenario: %w", err)
	}
	s, err := Parse(content)
	if err != nil {
		return nil, fmt.Errorf("scenario %s cannot be played:\n%w", path, err)
	}
	return s, nil
}

// Parse is Read for what is in memory.
func Parse(content []byte) (*Scenario, error) {
	var document yaml.Node
	if err := yaml.Unmarshal(content, &document); err != nil {
		return nil, err
	}
	decoder := yaml.NewDecoder(bytes.NewReader(content))
	decoder.KnownFields(true)
	var s Scenario
	var wrong *yaml.TypeError
	err := decoder.Decode(&s)
	switch {
	case errors.Is(err, io.EOF):
		return nil, errors.New("the file is empty")
	case errors.As(err, &wrong):
		return nil, errors.Join(explain(wrong, &document, s.check())...)
	case err != nil:
		return nil, err
	}
	if err := decoder.Decode(new(yaml.Node)); !errors.Is(err, io.EOF) {
		return nil, errors.New("the file holds several documents: give one scenario a file")
	}
	if errs := s.check(); len(errs) > 0 {
		return nil, errors.Join(errs...)
	}
	return &s, nil
}

var (
	atLine       = regexp.MustCompile(`^line (\d+): (.*)$`)
	unknownField = regexp.MustCompile(`^field (\S+) not found in type .*$`)
	wrongType    = regexp.MustCompile("^cannot unmarshal !!\\S+ (`.*` )?into (.*)$")
)

// explain puts the decoder's errors in the words of the file, and adds what
// else is wrong. A field that could not be read is not also missing.
func explain(wrong *yaml.TypeError, document *yaml.Node, further []error) []error {
	paths := map[int]string{}
	locate(document, "", paths)
	var errs []error
	unread := map[string]bool{}
	for _, text := range wrong.Errors {
		at, what := "", text
		if m := atLine.FindStringSubmatch(text); m != nil {
			line, _ := strconv.Atoi(m[1])
			unread[paths[line]] = true
			at, what = fmt.Sprintf("%s (line %d): ", paths[line], line), m[2]
		}
		if m := unknownField.FindStringSubmatch(what); m != nil {
			what = m[1] + " is not a field of it: see docs/scenarios.md for those that are"
		}
		if m := wrongType.FindStringSubmatch(what); m != nil {
			what = strings.TrimSpace(strings.Trim(m[1], "` ")) + ": write " + spelling(m[2])
		}
		errs = append(errs, errors.New(at+what))
	}
	for _, err := range further {
		var field *FieldError
		if !errors.As(err, &field) || !unread[field.Field] {
			errs = append(errs, err)
		}
	}
	return errs
}

// spelling says how a value of a Go type is written.
func spelling(goType string) string {
	switch {
	case goType == "int":
		return "a whole number"
	case goType == "float64":
		return "a number"
	case goType == "bool":
		return "true or false"
	case goType == "string":
		return "a text"
	case strings.HasPrefix(goType, "[]"):
		return "a list, like [a, b]"
	}
	return "further fields below it"
}

// locate finds the path of the field on each line.
func locate(node *yaml.Node, path string, paths map[int]string) {
	switch node.Kind {
	case yaml.DocumentNode:
		for _, child := range node.Content {
			locate(child, path, paths)
		}
	case yaml.MappingNode:
		for i := 0; i+1 < len(node.Content); i += 2 {
			key, value := node.Content[i], node.Content[i+1]
			below := strings.TrimPrefix(path+"."+key.Value, ".")
			if _, known := paths[key.Line]; !known {
				paths[key.Line] = below
			}
			locate(value, below, paths)
		}
	case yaml.SequenceNode:
		for i, child := range node.Content {
			below := fmt.Sprintf("%s[%d]", path, i)
			if _, known := paths[child.Line]; !known && child.Kind == yaml.ScalarNode {
				paths[child.Line] = below
			}
			locate(child, below, paths)
		}
	}
}
