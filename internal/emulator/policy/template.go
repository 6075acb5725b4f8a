package policy

import (
	"encoding/json"
	"net/url"
	"strconv"
	"strings"
)

// Vars returns the value of a variable: nil if it has none, else a string, an
// int64, or a json.RawMessage.
type Vars func(name string) any

// RenderJSON fills the variables $(name) and ${name} into JSON. Between quotes a
// variable becomes the text of its value, escaped, and elsewhere a JSON literal,
// null if it has no value (fact:upload-variable-quotes).
func RenderJSON(template string, vars Vars) string {
	return render(template, func(name string, quoted bool) string {
		value := vars(name)
		if quoted {
			literal := marshal(textOf(value))
			return literal[1 : len(literal)-1]
		}
		switch value.(type) {
		case nil:
			return "null"
		case string:
			return marshal(textOf(value))
		}
		return textOf(value)
	})
}

// RenderForm fills variables into a form or a URL, escaped as values of those.
func RenderForm(template string, vars Vars) string {
	return render(template, func(name string, _ bool) string { return url.QueryEscape(textOf(vars(name))) })
}

// RenderText fills variables into a text as they are.
func RenderText(template string, vars Vars) string {
	return render(template, func(name string, _ bool) string { return textOf(vars(name)) })
}

// isJSONTemplate reports whether RenderJSON makes JSON of a template.
func isJSONTemplate(template string) bool {
	return json.Valid([]byte(RenderJSON(template, func(string) any { return "" })))
}

// render copies a template, with each variable replaced by what fill makes of it.
// quoted is whether it stands in a string of JSON.
func render(template string, fill func(name string, quoted bool) string) string {
	var out strings.Builder
	for quoted := false; template != ""; {
		if name, rest, ok := cutVariable(template); ok {
			out.WriteString(fill(name, quoted))
			template = rest
			continue
		}
		n := 1
		switch {
		case template[0] == '"':
			quoted = !quoted
		case template[0] == '\\' && quoted && len(template) > 1:
			n = 2 // A quote that is escaped ends no string.
		}
		out.WriteString(template[:n])
		template = template[n:]
	}
	return out.String()
}

// cutVariable takes the variable off the beginning of a template, if there is one.
func cutVariable(template string) (name, rest string, ok bool) {
	if len(template) < 2 || template[0] != '$' {
		return "", "", false
	}
	switch template[1] {
	case '(':
		name, rest, ok = strings.Cut(template[2:], ")")
	case '{':
		name, rest, ok = strings.Cut(template[2:], "}")
	}
	return name, rest, ok && !strings.ContainsAny(name, "\"\\$(){}")
}

func textOf(value any) string {
	switch value := value.(type) {
	case string:
		return value
	case int64:
		return strconv.FormatInt(value, 10)
	case json.RawMessage:
		return string(value)
	}
	return ""
}

// marshal encodes a string as JSON, in which "<" stays what it is.
func marshal(text string) string {
	var out strings.Builder
	encoder := json.NewEncoder(&out)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(text); err != nil {
		return `""` // A string can always be encoded.
	}
	return strings.TrimSuffix(out.String(), "\n")
}
