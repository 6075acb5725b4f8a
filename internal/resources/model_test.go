package resources_test

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"pgregory.net/rapid"

	"github.com/qiniu/terraform-provider-kodo/internal/emulator"
)

// The model of kodo_object says what a sequence of configurations, accidents and
// other people's writes leads to. This file draws the sequences; model_world_test.go
// says what comes of them, and model_run_test.go compares that with the provider.

// spec is the block of one object.
type spec struct {
	key, content string
	from         string // the argument that gives the content, see modelSources
	version      int    // of content_wo, or in source_hash
	domain       string // "" for none
	overwrite    bool
	policy       string // "" for the default

	contentType string // "" leaves it to the provider
	cacheControl,
	owner, team string // in metadata; "" for none
	class    string // "" leaves it to the provider
	deletes  int    // delete_after_days, 0 for none
	toIA     int    // transition.ia_days, 0 for none
	disabled bool
}

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

	refused   bool // the apply has to fail: an object of somebody else is in the way
	prevented bool // the apply has to fail: a policy forbids to delete
	frozen    bool // the plan has to fail: an archive cannot change
}

// outsideWrite is what somebody else does to a key.
type outsideWrite struct {
	key   string
	do    string  // "put", "delete", or a change of one facet, see outsideChanges
	value string  // of the facet
	put   *stored // what is put
}

var (
	modelAddresses = []string{"kodo_object.a", "kodo_object.b", "kodo_object.c"}
	modelKeys      = []string{"1.txt", "2.html", "dir/3", "/4 空.css"}
	modelContents  = []string{"", "hello", "etag", strings.Repeat("long ", 200)}
	modelSources   = []string{"content", "content_base64", "source", "source_hash", "content_wo"}
	modelTypes     = []string{"", "text/plain", "application/x-model"}
	modelControls  = []string{"", "no-cache", "max-age=60"}
	modelTexts     = []string{"", "me", "you"}
	modelClasses   = []string{"", "STANDARD", "IA", "ARCHIVE_IR", "ARCHIVE"}
	modelPolicies  = []string{"", "DELETE", "ABANDON", "PREVENT"}
	modelDomains   = []string{"", "cdn.example.com"}
	modelDeletes   = []int{0, 0, 60, 90}
	modelToIA      = []int{0, 0, 10, 30}
)

// somebodyElses is a content that is never configured, but for imports.
const somebodyElses = "somebody else's"

// outsideChanges are the facets that somebody else may change, with the values.
var outsideChanges = map[string][]string{
	"content type":      {"text/css", "text/plain"},
	"cache control":     {"no-store", "no-cache"},
	"owner":             {"them", "you"},
	"other metadata":    {"x"},
	"class":             {"STANDARD", "IA", "ARCHIVE_IR"},
	"cancel deletion":   {""},
	"cancel transition": {""},
	"disable":           {""},
	"enable":            {""},
}

// onArchives are those of outsideChanges that Kodo makes also where an archive is frozen.
var onArchives = []string{"cancel deletion", "cancel transition", "disable", "enable"}

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
	{Match: emulator.Match{Path: "/batch"}, Do: "apply_then_drop"},
	{Match: emulator.Match{Path: "/batch"}, Do: "status", Status: 599},
	{Match: emulator.Match{Path: "/delete/*"}, Do: "apply_then_drop"},
	{Match: emulator.Match{Path: "/move/*"}, Do: "apply_then_drop"},
	{Match: emulator.Match{Path: "/chgm/*"}, Do: "apply_then_drop"},
	{Match: emulator.Match{Path: "/chgm/*"}, Do: "status", Status: 400},
	{Match: emulator.Match{Path: "/chtype/*"}, Do: "apply_then_drop"},
	{Match: emulator.Match{Path: "/chtype/*"}, Do: "status", Status: 400},
	{Match: emulator.Match{Path: "/lifecycle/*"}, Do: "apply_then_drop"},
	{Match: emulator.Match{Path: "/lifecycle/*"}, Do: "status", Status: 400},
	{Match: emulator.Match{Path: "/chstatus/*"}, Do: "apply_then_drop"},
	{Match: emulator.Match{Path: "/chstatus/*"}, Do: "status", Status: 403},
}

// sequences draws sequences of steps, each of which is possible after the one before.
func sequences(accidents bool) *rapid.Generator[[]modelStep] {
	return rapid.Custom(func(t *rapid.T) []modelStep {
		w := newWorld()
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
	pick := func() string { return rapid.SampledFrom(managed).Draw(t, "address") }
	step.says = rapid.SampledFrom(w.kinds(accidents)).Draw(t, "kind")
	switch step.says {
	case "put outside":
		step.outside = []outsideWrite{drawPut(t, rapid.SampledFrom(modelKeys).Draw(t, "key"))}
	case "create":
		step.blocks[w.freeAddress()] = drawSpec(t, rapid.SampledFrom(w.freeKeys()).Draw(t, "key"))
	case "create over":
		step.blocks[w.freeAddress()] = drawSpec(t, drawKey(t, w.foreign()))
	case "import":
		step.imported = w.freeAddress()
		step.blocks[step.imported] = w.drawImport(t)
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
		step.outside = []outsideWrite{drawPut(t, w.config[pick()].key)}
	case "change outside":
		step.outside = []outsideWrite{w.drawChange(t, w.config[pick()].key)}
	case "delete outside":
		step.outside = []outsideWrite{{key: w.config[pick()].key, do: "delete"}}
	case "taint":
		if address := pick(); accidents || w.config[address].policy != "PREVENT" { // without a driver nobody untaints it
			step.taint = address
		}
	case "remove", "remove late":
		delete(step.blocks, pick())
	case "move address", "rename address":
		from, to := pick(), w.freeAddress()
		step.blocks[to] = step.blocks[from]
		delete(step.blocks, from)
		if step.says == "move address" { // otherwise it is another object, for all that Terraform knows
			step.moved = [2]string{from, to}
		}
	case "rename onto":
		from, onto := pick(), pick()
		if block := w.config[from]; from != onto && block.overwrite {
			block.key = w.config[onto].key
			step.blocks[from] = block
			delete(step.blocks, onto)
		}
	}
	if strings.HasSuffix(step.says, " late") {
		step.late = []outsideWrite{w.drawLate(t, &step, pick())}
	} else if accidents && rapid.IntRange(0, 2).Draw(t, "an accident") == 0 {
		fault := rapid.SampledFrom(modelFaults).Draw(t, "fault")
		fault.Times, fault.Skip = rapid.IntRange(1, 2).Draw(t, "times"), rapid.IntRange(0, 2).Draw(t, "skip")
		step.fault = &fault
	}
	return step
}

// kinds are the steps that are possible, some more often than others.
func (w *world) kinds(accidents bool) []string {
	kinds := []string{"put outside"}
	if len(w.config) < len(modelAddresses) && len(w.freeKeys()) > 0 {
		kinds = append(kinds, "create", "create")
	}
	if len(w.foreign()) > 0 && len(w.config) < len(modelAddresses) {
		kinds = append(kinds, "create over")
		if len(w.importable()) > 0 {
			kinds = append(kinds, "import")
		}
	}
	if len(w.config) == 0 {
		return kinds
	}
	kinds = append(kinds, "change", "change", "change", "change", "rename key", "drift", "change outside", "change outside", "delete outside", "taint", "remove")
	if len(w.config) < len(modelAddresses) {
		kinds = append(kinds, "move address", "rename address")
	}
	if len(w.config) > 1 {
		kinds = append(kinds, "rename onto")
	}
	if accidents {
		kinds = append(kinds, "change late", "remove late")
	}
	return kinds
}

func drawSpec(t *rapid.T, key string) spec {
	one := func(of []string, label string) string { return rapid.SampledFrom(of).Draw(t, label) }
	return spec{
		key: key, content: one(modelContents, "content"), from: one(modelSources, "from"), version: rapid.IntRange(1, 3).Draw(t, "version"),
		domain: one(modelDomains, "domain"), overwrite: rapid.Bool().Draw(t, "overwrite"), policy: one(modelPolicies, "policy"),
		contentType: one(modelTypes, "type"), cacheControl: one(modelControls, "control"), owner: one(modelTexts, "owner"), team: one(modelTexts, "team"),
		class: one(modelClasses, "class"), deletes: rapid.SampledFrom(modelDeletes).Draw(t, "deletes"), toIA: rapid.SampledFrom(modelToIA).Draw(t, "to IA"),
		disabled: rapid.IntRange(0, 3).Draw(t, "disabled") == 0,
	}
}

func drawKey(t *rapid.T, of map[string]stored) string {
	return rapid.SampledFrom(slices.Sorted(maps.Keys(of))).Draw(t, "key")
}

// drawImport is a block for an object that is there. Content that the plan does not
// look at is taken to be what is there, so it is.
func (w *world) drawImport(t *rapid.T) spec {
	block := drawSpec(t, drawKey(t, w.importable()))
	there := w.server[block.key].content
	if block.content = rapid.SampledFrom([]string{block.content, there}).Draw(t, "imported content"); block.byWord() {
		block.content = there
	}
	return block
}

// drawChange is a change by somebody else that is possible.
func (w *world) drawChange(t *rapid.T, key string) outsideWrite {
	does := slices.Sorted(maps.Keys(outsideChanges))
	now := w.server[key]
	does = slices.DeleteFunc(does, func(do string) bool {
		return do == "disable" && now.disabled || do == "enable" && !now.disabled || now.class == "ARCHIVE" && !slices.Contains(onArchives, do)
	})
	write := outsideWrite{key: key, do: rapid.SampledFrom(does).Draw(t, "outside change")}
	values := slices.DeleteFunc(slices.Clone(outsideChanges[write.do]), func(v string) bool { return write.do == "class" && v == now.class })
	write.value = rapid.SampledFrom(values).Draw(t, "outside value")
	return write
}

// drawLate is what somebody else does between plan and apply: of the facets, only to those
// that are configured, because of the others it is open whether the apply or they come last.
func (w *world) drawLate(t *rapid.T, step *modelStep, address string) outsideWrite {
	block, stays := step.blocks[address]
	if !stays || block.class == "ARCHIVE" || rapid.Bool().Draw(t, "late put") {
		return drawPut(t, w.config[address].key)
	}
	write := w.drawChange(t, w.config[address].key)
	if write.do == "content type" && block.contentType == "" || write.do == "class" && (block.class == "" || block.toIA > 0) {
		return drawPut(t, w.config[address].key)
	}
	return write
}

// changed is the block with one argument changed. What the plan does not look at
// changes with its version.
func changed(t *rapid.T, block spec) spec {
	other := drawSpec(t, block.key)
	switch rapid.SampledFrom([]string{
		"content", "content", "from", "domain", "overwrite", "policy", "type", "control", "owner", "team", "class", "deletes", "to IA", "disabled",
	}).Draw(t, "argument") {
	case "content":
		block.content, block.version = other.content, block.version+1
	case "from":
		block.from, block.version = other.from, block.version+1
	case "domain":
		block.domain = other.domain
	case "overwrite":
		block.overwrite = other.overwrite
	case "policy":
		block.policy = other.policy
	case "type":
		block.contentType = other.contentType
	case "control":
		block.cacheControl = other.cacheControl
	case "owner":
		block.owner = other.owner
	case "team":
		block.team = other.team
	case "class":
		block.class = other.class
	case "deletes":
		block.deletes = other.deletes
	case "to IA":
		block.toIA = other.toIA
	case "disabled":
		block.disabled = !block.disabled
	}
	return block
}

func drawPut(t *rapid.T, key string) outsideWrite {
	return outsideWrite{key: key, do: "put", put: &stored{
		content:     rapid.SampledFrom(append([]string{somebodyElses}, modelContents...)).Draw(t, "outside content"),
		contentType: rapid.SampledFrom([]string{"text/css", "text/plain"}).Draw(t, "outside type"),
		owner:       rapid.SampledFrom([]string{"", "me", "them"}).Draw(t, "outside owner"),
		class:       rapid.SampledFrom([]string{"STANDARD", "IA"}).Draw(t, "outside class"),
		deletes:     rapid.IntRange(0, 3).Draw(t, "outside deletes") == 0,
	}}
}

// String shows the step in a report.
func (s modelStep) String() string {
	text := s.says
	for _, address := range slices.Sorted(maps.Keys(s.blocks)) {
		text += fmt.Sprintf("\n    %s %+v", address, s.blocks[address])
	}
	for name, writes := range map[string][]outsideWrite{"before": s.outside, "late": s.late} {
		for _, write := range writes {
			text += fmt.Sprintf("\n    %s: %s of %s %q %+v", name, write.do, write.key, write.value, write.put)
		}
	}
	if s.fault != nil {
		text += fmt.Sprintf("\n    fault %+v", *s.fault)
	}
	return text + fmt.Sprintf("\n    taint %q, moved %q, imported %q, refused %t, prevented %t, frozen %t", s.taint, s.moved, s.imported, s.refused, s.prevented, s.frozen)
}
