package acctest_test

import (
	"context"
	"encoding/json"
	"slices"
	"strconv"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/hashicorp/terraform-plugin-framework/datasource"
	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/provider"
	"github.com/hashicorp/terraform-plugin-framework/resource"
	"github.com/hashicorp/terraform-plugin-framework/resource/identityschema"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/planmodifier"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/stringplanmodifier"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/qiniu/terraform-provider-kodo/internal/acctest"
)

// world is a provider with one resource, fake_thing, whose failures a test
// decides on. It records what is asked of it.
type world struct {
	mu    sync.Mutex
	calls []string
	gone  bool // everything

	createFails, createFailsEarly, updateFails, deleteFails bool
	planned                                                 string // what size is planned as, if not unknown
	made                                                    string // what size becomes
	plannedNote                                             string // what note is planned as, if not as configured
}

type thing struct {
	Name   types.String `tfsdk:"name"`
	Note   types.String `tfsdk:"note"`
	Size   types.String `tfsdk:"size"`
	Secret types.String `tfsdk:"secret"` // write-only
	Tags   types.Set    `tfsdk:"tags"`
	Rules  []thingRule  `tfsdk:"rule"`
}

type thingRule struct {
	Match types.String `tfsdk:"match"`
	Order types.String `tfsdk:"order"` // computed
}

type thingIdentity struct {
	Name types.String `tfsdk:"name"`
}

func (w *world) Metadata(_ context.Context, _ provider.MetadataRequest, resp *provider.MetadataResponse) {
	resp.TypeName = "fake"
}
func (*world) Schema(context.Context, provider.SchemaRequest, *provider.SchemaResponse)          {}
func (*world) Configure(context.Context, provider.ConfigureRequest, *provider.ConfigureResponse) {}
func (*world) DataSources(context.Context) []func() datasource.DataSource                        { return nil }
func (w *world) Resources(context.Context) []func() resource.Resource {
	return []func() resource.Resource{func() resource.Resource { return fakeThing{w} }}
}

type fakeThing struct{ *world }

func (fakeThing) Metadata(_ context.Context, _ resource.MetadataRequest, resp *resource.MetadataResponse) {
	resp.TypeName = "fake_thing"
}

func (fakeThing) Schema(_ context.Context, _ resource.SchemaRequest, resp *resource.SchemaResponse) {
	resp.Schema = schema.Schema{Attributes: map[string]schema.Attribute{
		"name":   schema.StringAttribute{Required: true, PlanModifiers: []planmodifier.String{stringplanmodifier.RequiresReplace()}},
		"note":   schema.StringAttribute{Optional: true},
		"size":   schema.StringAttribute{Computed: true},
		"secret": schema.StringAttribute{Optional: true, WriteOnly: true},
		"tags":   schema.SetAttribute{Optional: true, ElementType: types.StringType},
	}, Blocks: map[string]schema.Block{
		"rule": schema.ListNestedBlock{NestedObject: schema.NestedBlockObject{Attributes: map[string]schema.Attribute{
			"match": schema.StringAttribute{Required: true},
			"order": schema.StringAttribute{Computed: true},
		}}},
	}}
}

func (fakeThing) IdentitySchema(_ context.Context, _ resource.IdentitySchemaRequest, resp *resource.IdentitySchemaResponse) {
	resp.IdentitySchema = identityschema.Schema{Attributes: map[string]identityschema.Attribute{
		"name": identityschema.StringAttribute{RequiredForImport: true},
	}}
}

// Things have been called other_thing, and the name title, in another provider.
func (fakeThing) MoveState(context.Context) []resource.StateMover {
	return []resource.StateMover{{StateMover: func(ctx context.Context, req resource.MoveStateRequest, resp *resource.MoveStateResponse) {
		var old struct{ Title string }
		if err := json.Unmarshal(req.SourceRawState.JSON, &old); err != nil || req.SourceTypeName != "other_thing" {
			return
		}
		resp.Diagnostics.Append(resp.TargetState.SetAttribute(ctx, path.Root("name"), old.Title)...)
		resp.Diagnostics.Append(resp.TargetState.SetAttribute(ctx, path.Root("size"), "1")...)
		resp.Diagnostics.Append(resp.TargetIdentity.Set(ctx, thingIdentity{types.StringValue(old.Title)})...)
	}}}
}

func (fakeThing) ImportState(ctx context.Context, req resource.ImportStateRequest, resp *resource.ImportStateResponse) {
	resource.ImportStatePassthroughWithIdentity(ctx, path.Root("name"), path.Root("name"), req, resp)
	resp.Diagnostics.Append(resp.State.SetAttribute(ctx, path.Root("size"), "1")...)
}

func (f fakeThing) ModifyPlan(ctx context.Context, req resource.ModifyPlanRequest, resp *resource.ModifyPlanResponse) {
	if f.planned != "" && !req.Plan.Raw.IsNull() {
		resp.Diagnostics.Append(resp.Plan.SetAttribute(ctx, path.Root("size"), f.planned)...)
	}
	if f.plannedNote != "" {
		resp.Diagnostics.Append(resp.Plan.SetAttribute(ctx, path.Root("note"), f.plannedNote)...)
	}
}

func (f fakeThing) did(what string, v thing) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.calls = append(f.calls, what+" "+v.Name.ValueString()+v.Note.ValueString())
}

func (f fakeThing) Create(ctx context.Context, req resource.CreateRequest, resp *resource.CreateResponse) {
	var v thing
	resp.Diagnostics.Append(req.Plan.Get(ctx, &v)...)
	f.did("create", v)
	resp.Diagnostics.Append(resp.Identity.Set(ctx, thingIdentity{v.Name})...)
	if f.createFailsEarly {
		resp.Diagnostics.AddError("Not Created", "nothing was made")
		return
	}
	v.Size = types.StringValue(f.made)
	for i := range v.Rules {
		v.Rules[i].Order = types.StringValue(strconv.Itoa(i))
	}
	resp.Diagnostics.Append(resp.State.Set(ctx, v)...)
	if f.createFails {
		resp.Diagnostics.AddError("Not Created", "half of it was made")
	}
}

func (f fakeThing) Read(ctx context.Context, req resource.ReadRequest, resp *resource.ReadResponse) {
	var v thing
	resp.Diagnostics.Append(req.State.Get(ctx, &v)...)
	resp.Diagnostics.Append(resp.Identity.Set(ctx, thingIdentity{v.Name})...)
	if f.gone {
		resp.State.RemoveResource(ctx)
	}
}

func (f fakeThing) Update(ctx context.Context, req resource.UpdateRequest, resp *resource.UpdateResponse) {
	var v thing
	resp.Diagnostics.Append(req.Plan.Get(ctx, &v)...)
	f.did("update", v)
	resp.Diagnostics.Append(resp.Identity.Set(ctx, thingIdentity{v.Name})...)
	if f.updateFails {
		resp.State.RemoveResource(ctx)
		resp.Diagnostics.AddError("Not Updated", "it is as it was")
		return
	}
	v.Size = types.StringValue(f.made)
	for i := range v.Rules {
		v.Rules[i].Order = types.StringValue(strconv.Itoa(i))
	}
	resp.Diagnostics.Append(resp.State.Set(ctx, v)...)
}

func (f fakeThing) Delete(ctx context.Context, req resource.DeleteRequest, resp *resource.DeleteResponse) {
	var v thing
	resp.Diagnostics.Append(req.State.Get(ctx, &v)...)
	f.did("delete", v)
	if f.deleteFails {
		resp.Diagnostics = append(resp.Diagnostics, diag.NewErrorDiagnostic("Not Deleted", "it stays"))
	}
}

func newWorld(t *testing.T) (*world, *acctest.Session) {
	t.Helper()
	w := &world{made: "1"}
	return w, acctest.NewSession(t, func() provider.Provider { return w }, nil)
}

func block(name, note string) acctest.Resource {
	return acctest.Resource{Address: "fake_thing.a", Config: acctest.Values{"name": name, "note": note}}
}

// apply plans and applies, and returns the summaries of the errors.
func apply(t *testing.T, s *acctest.Session, blocks ...acctest.Resource) []string {
	t.Helper()
	plan := s.Plan(blocks...)
	if plan.Diagnostics.HasErrors() {
		t.Fatal(plan.Diagnostics)
	}
	var summaries []string
	for _, d := range s.Apply(plan).Errors() {
		summaries = append(summaries, d.Summary)
	}
	return summaries
}

func TestSessionLifecycle(t *testing.T) {
	t.Parallel()
	w, s := newWorld(t)
	a, changed, renamed := block("a", ""), block("a", "!"), block("b", "!")
	for _, step := range []struct {
		blocks []acctest.Resource
		action acctest.Action
	}{
		{[]acctest.Resource{a}, acctest.Create},
		{[]acctest.Resource{a}, acctest.NoOp},
		{[]acctest.Resource{changed}, acctest.Update},
		{[]acctest.Resource{renamed}, acctest.Replace},
		{nil, acctest.Delete},
	} {
		if got := s.Plan(step.blocks...).Change("fake_thing.a").Action; got != step.action {
			t.Fatalf("the action is %s, want %s", got, step.action)
		}
		if errors := apply(t, s, step.blocks...); errors != nil {
			t.Fatal(errors)
		}
	}
	want := []string{"create a", "update a!", "delete a!", "create b!", "delete b!"}
	if diff := cmp.Diff(want, w.calls); diff != "" {
		t.Errorf("calls (-want +got):\n%s", diff)
	}
	if s.State("fake_thing.a") != nil {
		t.Error("the destroyed object is still in the state")
	}
}

// An object that moves to an address that another one had before is destroyed once.
func TestSessionMovedToAnAddressOfOld(t *testing.T) {
	t.Parallel()
	w, s := newWorld(t)
	other := block("b", "")
	other.Address = "fake_thing.b"
	back := block("b", "")
	back.MovedFrom = other.Address
	for _, blocks := range [][]acctest.Resource{{block("a", "")}, {other}, {back}, nil} {
		if errors := apply(t, s, blocks...); errors != nil {
			t.Fatal(errors)
		}
	}
	slices.Sort(w.calls[1:3]) // the order of the two is open
	if diff := cmp.Diff([]string{"create a", "create b", "delete a", "delete b"}, w.calls); diff != "" {
		t.Errorf("calls (-want +got):\n%s", diff)
	}
}

// What was made by a creation that failed is tainted, and replaced by the next
// apply; what was not made is not in the state.
func TestSessionTaint(t *testing.T) {
	t.Parallel()
	w, s := newWorld(t)
	w.createFailsEarly = true
	if got := apply(t, s, block("a", "")); !slices.Equal(got, []string{"Not Created"}) {
		t.Fatalf("errors = %v", got)
	}
	if s.State("fake_thing.a") != nil {
		t.Fatal("what was not made is in the state")
	}
	w.createFailsEarly, w.createFails = false, true
	apply(t, s, block("a", ""))
	want := acctest.Values{"name": "a", "note": "", "size": "1", "secret": nil, "tags": nil, "rule": []any{}}
	if diff := cmp.Diff(want, s.State("fake_thing.a")); diff != "" || !s.Tainted("fake_thing.a") {
		t.Fatalf("tainted = %t, state (-want +got):\n%s", s.Tainted("fake_thing.a"), diff)
	}
	w.createFails, w.calls = false, nil
	if got := s.Plan(block("a", "")).Change("fake_thing.a").Action; got != acctest.Replace {
		t.Errorf("a tainted object is planned as %s", got)
	}
	apply(t, s, block("a", ""))
	if diff := cmp.Diff([]string{"delete a", "create a"}, w.calls); diff != "" || s.Tainted("fake_thing.a") {
		t.Errorf("tainted = %t, calls (-want +got):\n%s", s.Tainted("fake_thing.a"), diff)
	}
}

func TestSessionCreateBeforeDestroy(t *testing.T) {
	t.Parallel()
	w, s := newWorld(t)
	apply(t, s, block("a", ""))
	b := block("b", "")
	b.CreateBeforeDestroy = true

	w.createFailsEarly = true
	apply(t, s, b)
	if got := s.State("fake_thing.a")["name"]; got != "a" {
		t.Fatalf("after a creation that made nothing the object is %v, want the old one", got)
	}
	w.createFailsEarly, w.deleteFails = false, true
	apply(t, s, b)
	if got := s.State("fake_thing.a")["name"]; got != "b" {
		t.Fatalf("the object is %v, want the new one", got)
	}
	w.deleteFails, w.calls = false, nil
	apply(t, s, b)
	if diff := cmp.Diff([]string{"delete a"}, w.calls); diff != "" {
		t.Errorf("calls for the deposed object (-want +got):\n%s", diff)
	}
	if got := s.Plan(b).Actions(); len(got) != 0 {
		t.Errorf("a further plan has the actions %v", got)
	}
}

func TestSessionKeepsWhatCouldNotBeChanged(t *testing.T) {
	t.Parallel()
	w, s := newWorld(t)
	apply(t, s, block("a", ""))
	w.updateFails, w.deleteFails = true, true
	if got := apply(t, s, block("a", "!")); !slices.Equal(got, []string{"Not Updated"}) {
		t.Errorf("errors = %v", got)
	}
	want := acctest.Values{"name": "a", "note": "", "size": "1", "secret": nil, "tags": nil, "rule": []any{}}
	if diff := cmp.Diff(want, s.State("fake_thing.a")); diff != "" || s.Tainted("fake_thing.a") {
		t.Errorf("tainted = %t, state (-want +got):\n%s", s.Tainted("fake_thing.a"), diff)
	}
	if got := apply(t, s); !slices.Equal(got, []string{"Not Deleted"}) {
		t.Errorf("errors = %v", got)
	}
	if got := s.State("fake_thing.a")["name"]; got != "a" {
		t.Errorf("the object is %v, want the one that could not be deleted", got)
	}
}
