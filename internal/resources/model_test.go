package resources_test

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"pgregory.net/rapid"

	"github.com/qiniu/terraform-provider-kodo/internal/acctest"
	"github.com/qiniu/terraform-provider-kodo/internal/emulator"
)

// This file is the model of kodo_object: what a sequence of configurations,
// accidents and other people's writes leads to. model_run_test.go compares it
// with the provider.

// spec is the block of one object.
type spec struct {
	key, content string
	contentType  string // "" leaves it to the provider
	domain       string // "" for none
	overwrite    bool
}

// stored is what the server has under a key.
type stored struct{ content, contentType string }

// modelStep is what happens before, during and after one apply.
type modelStep struct {
	says string // for the report

	blocks   map[string]spec // the configuration, by address
	moved    [2]string       // from, to: a moved block
	imported string          // the address of an import block
	outside  []outsideWrite  // by somebody else, before the plan
	late     []outsideWrite  // by somebody else, between plan and apply
	taint    string          // an address
	fault    *emulator.Fault // during the apply
	refused  bool            // the apply has to fail: an object of somebody else is in the way
}

type outsideWrite struct {
	key    string
	object *stored // nil deletes
}

// world is what the model keeps: the configuration that was applied last, and
// the objects of somebody else.
type world struct {
	config  map[string]spec
	foreign map[string]stored
}

var (
	modelAddresses = []string{"kodo_object.a", "kodo_object.b", "kodo_object.c"}
	modelKeys      = []string{"1.txt", "2.html", "dir/3", "/4 空.css"}
	modelContents  = []string{"", "hello", "etag", strings.Repeat("long ", 200)}
	modelTypes     = []string{"", "text/plain", "application/x-model"}
	modelDomains   = []string{"", "cdn.example.com"}
)

// modelFaults are the accidents; each strikes once or twice, so that a repeated
// request gets through or does not.
var modelFaults = []emulator.Fault{
	{Match: emulator.Match{Service: "up"}, Do: "apply_then_drop"},
	{Match: emulator.Match{Service: "up"}, Do: "drop_before"},
	{Match: emulator.Match{Service: "up"}, Do: "status", Status: 599},
	{Match: emulator.Match{Service: "up"}, Do: "wrong_hash"},
	{Match: emulator.Match{Service: "up"}, Do: "truncate"},
	{Match: emulator.Match{Service: "rs"}, Do: "apply_then_drop"},
	{Match: emulator.Match{Service: "rs"}, Do: "drop_before"},
	{Match: emulator.Match{Service: "rs"}, Do: "status", Status: 573},
	{Match: emulator.Match{Service: "rs", Method: "POST"}, Do: "status", Status: 599},
	{Match: emulator.Match{Path: "/delete/*"}, Do: "apply_then_drop"},
	{Match: emulator.Match{Path: "/chgm/*"}, Do: "apply_then_drop"},
	{Match: emulator.Match{Path: "/chgm/*"}, Do: "status", Status: 400},
}

// sequences draws sequences of steps, each of which is possible after the one before.
func sequences(accidents bool) *rapid.Generator[[]modelStep] {
	return rapid.Custom(func(t *rapid.T) []modelStep {
		w := world{config: map[string]spec{}, foreign: map[string]stored{}}
		var steps []modelStep
		for range rapid.IntRange(2, 8).Draw(t, "steps") {
			step := w.draw(t, accidents)
			w.take(&step)
			steps = append(steps, step)
		}
		return steps
	})
}

// draw is one step from this world.
func (w *world) draw(t *rapid.T, accidents bool) modelStep {
	step := modelStep{blocks: maps.Clone(w.config)}
	managed := slices.Sorted(maps.Keys(w.config))
	kinds := []string{"put outside"}
	if len(w.config) < len(modelAddresses) && len(w.freeKeys()) > 0 {
		kinds = append(kinds, "create", "create")
	}
	if len(w.foreign) > 0 && len(w.config) < len(modelAddresses) {
		kinds = append(kinds, "create over", "import")
	}
	if len(managed) > 0 {
		kinds = append(kinds, "change", "change", "change", "rename key", "drift", "delete outside", "taint", "remove")
		if len(w.config) < len(modelAddresses) {
			kinds = append(kinds, "move address")
		}
		if accidents {
			kinds = append(kinds, "change late", "remove late")
		}
	}
	kind := rapid.SampledFrom(kinds).Draw(t, "kind")
	step.says = kind
	pick := func() string { return rapid.SampledFrom(managed).Draw(t, "address") }
	switch kind {
	case "put outside":
		step.outside = []outsideWrite{{rapid.SampledFrom(modelKeys).Draw(t, "key"), drawStored(t)}}
	case "create":
		step.blocks[w.freeAddress()] = drawSpec(t, rapid.SampledFrom(w.freeKeys()).Draw(t, "key"))
	case "create over":
		step.blocks[w.freeAddress()] = drawSpec(t, rapid.SampledFrom(slices.Sorted(maps.Keys(w.foreign))).Draw(t, "key"))
	case "import":
		key := rapid.SampledFrom(slices.Sorted(maps.Keys(w.foreign))).Draw(t, "key")
		block := drawSpec(t, key)
		block.content = rapid.SampledFrom([]string{block.content, w.foreign[key].content}).Draw(t, "imported content")
		step.imported = w.freeAddress()
		step.blocks[step.imported] = block
	case "change", "change late":
		address := pick()
		step.blocks[address] = changed(t, w.config[address])
	case "rename key":
		address := pick()
		if free := w.freeKeys(); len(free) > 0 {
			block := w.config[address]
			block.key = rapid.SampledFrom(free).Draw(t, "key")
			step.blocks[address] = block
		}
	case "drift":
		step.outside = []outsideWrite{{w.config[pick()].key, drawStored(t)}}
	case "delete outside":
		step.outside = []outsideWrite{{key: w.config[pick()].key}}
	case "taint":
		step.taint = pick()
	case "remove", "remove late":
		delete(step.blocks, pick())
	case "move address":
		from := pick()
		step.moved = [2]string{from, w.freeAddress()}
		step.blocks[step.moved[1]] = step.blocks[from]
		delete(step.blocks, from)
	}
	if strings.HasSuffix(kind, " late") {
		step.late = []outsideWrite{{w.config[pick()].key, drawStored(t)}}
	} else if accidents && rapid.IntRange(0, 2).Draw(t, "an accident") == 0 {
		fault := rapid.SampledFrom(modelFaults).Draw(t, "fault")
		fault.Times, fault.Skip = rapid.IntRange(1, 2).Draw(t, "times"), rapid.IntRange(0, 2).Draw(t, "skip")
		step.fault = &fault
	}
	return step
}

// take makes the world what the step leads to, and completes the step.
func (w *world) take(step *modelStep) {
	keysBefore := map[string]bool{}
	for _, block := range w.config {
		keysBefore[block.key] = true
	}
	for _, write := range step.outside {
		if !keysBefore[write.key] {
			w.foreign[write.key] = *write.object
		}
	}
	next := maps.Clone(step.blocks)
	for address, block := range step.blocks {
		old, managed := w.config[address]
		there, inTheWay := w.foreign[block.key]
		switch {
		case managed && old.key == block.key, address == step.moved[1], !inTheWay:
		case address == step.imported, block.overwrite, there.content == block.content:
			delete(w.foreign, block.key)
		default:
			step.refused = true
			delete(next, address)
		}
	}
	for _, write := range step.late { // of what was to be deleted: it is left
		if !slices.ContainsFunc(slices.Collect(maps.Values(next)), func(b spec) bool { return b.key == write.key }) {
			w.foreign[write.key] = *write.object
		}
	}
	w.config = next
}

func (w *world) freeAddress() string {
	i := slices.IndexFunc(modelAddresses, func(a string) bool { _, used := w.config[a]; return !used })
	return modelAddresses[i]
}

// freeKeys are those under which nothing is.
func (w *world) freeKeys() []string {
	used := maps.Clone(w.foreign)
	for _, block := range w.config {
		used[block.key] = stored{}
	}
	return slices.DeleteFunc(slices.Clone(modelKeys), func(k string) bool { _, is := used[k]; return is })
}

func drawSpec(t *rapid.T, key string) spec {
	return spec{
		key:         key,
		content:     rapid.SampledFrom(modelContents).Draw(t, "content"),
		contentType: rapid.SampledFrom(modelTypes).Draw(t, "type"),
		domain:      rapid.SampledFrom(modelDomains).Draw(t, "domain"),
		overwrite:   rapid.Bool().Draw(t, "overwrite"),
	}
}

// changed is the block with one argument changed.
func changed(t *rapid.T, block spec) spec {
	other := drawSpec(t, block.key)
	switch rapid.SampledFrom([]string{"content", "type", "domain", "overwrite"}).Draw(t, "argument") {
	case "content":
		block.content = other.content
	case "type":
		block.contentType = other.contentType
	case "domain":
		block.domain = other.domain
	case "overwrite":
		block.overwrite = other.overwrite
	}
	return block
}

func drawStored(t *rapid.T) *stored {
	return &stored{
		content:     rapid.SampledFrom(append([]string{"somebody else's"}, modelContents...)).Draw(t, "outside content"),
		contentType: rapid.SampledFrom([]string{"text/css", "text/plain"}).Draw(t, "outside type"),
	}
}

// resource is the block as the driver takes it.
func (s spec) resource(address, bucket string) acctest.Resource {
	config := values{"bucket": bucket, "key": s.key, "content": s.content, "overwrite": s.overwrite}
	if s.contentType != "" {
		config["content_type"] = s.contentType
	}
	if s.domain != "" {
		config["domain"] = s.domain
	}
	return acctest.Resource{Address: address, Config: config}
}

// hcl is the block as a configuration has it.
func (s spec) hcl(address, bucket string) string {
	_, name, _ := strings.Cut(address, ".")
	text := fmt.Sprintf("resource \"kodo_object\" %q {\n  bucket = %q\n  key = %q\n  content = %q\n  overwrite = %t\n", name, bucket, s.key, s.content, s.overwrite)
	if s.contentType != "" {
		text += fmt.Sprintf("  content_type = %q\n", s.contentType)
	}
	if s.domain != "" {
		text += fmt.Sprintf("  domain = %q\n", s.domain)
	}
	return text + "}\n"
}

// String shows the step in a report.
func (s modelStep) String() string {
	text := s.says
	for _, address := range slices.Sorted(maps.Keys(s.blocks)) {
		text += fmt.Sprintf("\n    %s %+v", address, s.blocks[address])
	}
	for name, writes := range map[string][]outsideWrite{"before": s.outside, "late": s.late} {
		for _, write := range writes {
			text += fmt.Sprintf("\n    %s: %s becomes %+v", name, write.key, write.object)
		}
	}
	if s.fault != nil {
		text += fmt.Sprintf("\n    fault %+v", *s.fault)
	}
	return text + fmt.Sprintf("\n    taint %q, moved %q, imported %q, refused %t", s.taint, s.moved, s.imported, s.refused)
}
