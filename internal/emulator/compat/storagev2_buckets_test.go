package compat_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/qiniu/go-sdk/v7/storagev2/apis"
	"github.com/qiniu/go-sdk/v7/storagev2/apis/get_bucket_cors_rules"
	"github.com/qiniu/go-sdk/v7/storagev2/apis/get_bucket_event_rules"
	"github.com/qiniu/go-sdk/v7/storagev2/apis/get_bucket_rules"
	"github.com/qiniu/go-sdk/v7/storagev2/apis/set_bucket_cors_rules"

	"github.com/qiniu/terraform-provider-kodo/internal/emulator"
)

// settings is a bucket, and the SDK to change it with.
type settings struct {
	t       *testing.T
	storage *apis.Storage
	options *apis.Options
}

func newSettings(t *testing.T) *settings {
	t.Helper()
	s := newSDK(t, emulator.BucketSpec{Name: "bucket"})
	storage, options := s.storage()
	return &settings{t: t, storage: storage, options: options}
}

func (s *settings) check(what string, err error) {
	s.t.Helper()
	if err != nil {
		s.t.Errorf("%s: %v", what, err)
	}
}

func TestBucketSettings(t *testing.T) {
	t.Parallel()
	s := newSettings(t)
	ctx := t.Context()
	_, err := s.storage.SetBucketRemark(ctx, &apis.SetBucketRemarkRequest{Bucket: "bucket", Remark: "备注"}, s.options)
	s.check("remark", err)
	_, err = s.storage.SetBucketMaxAge(ctx, &apis.SetBucketMaxAgeRequest{Bucket: "bucket", MaxAge: 7200}, s.options)
	s.check("max age", err)
	_, err = s.storage.SetBucketAccessMode(ctx, &apis.SetBucketAccessModeRequest{Bucket: "bucket", Mode: 1}, s.options)
	s.check("access mode", err)
	_, err = s.storage.SetBucketReferAntiLeech(ctx, &apis.SetBucketReferAntiLeechRequest{
		Bucket: "bucket", Mode: 1, Pattern: "foo.com;*.bar.com", AllowEmptyReferer: 1, SourceEnabled: 1,
	}, s.options)
	s.check("referer", err)
	info, err := s.storage.GetBucketInfo(ctx, &apis.GetBucketInfoRequest{Bucket: "bucket"}, s.options)
	s.check("info", err)
	if info.Remark != "备注" || info.MaxAge != 7200 || info.Protected != 1 || info.AntiLeechMode != 1 || !info.SourceEnabled || !info.NoReferer ||
		cmp.Diff([]string{"foo.com", "*.bar.com"}, info.ReferWl) != "" || info.ReferBl != nil {
		t.Errorf("info: %+v", info)
	}
	domains, err := s.storage.GetBucketDomainsV3(ctx, &apis.GetBucketDomainsV3Request{BucketName: "bucket"}, s.options)
	s.check("domains", err)
	if len(domains.DomainInfos) != 1 || domains.DomainInfos[0].Bucket != "bucket" {
		t.Errorf("domains: %+v", domains)
	}
}

func TestBucketQuota(t *testing.T) {
	t.Parallel()
	s := newSettings(t)
	for _, step := range []struct{ size, count, wantSize, wantCount int64 }{
		{0, 0, -1, -1}, {100, 0, 100, -1}, {0, 7, 100, 7}, {-1, 0, -1, 7}, {-1, -1, -1, -1},
	} {
		_, err := s.storage.SetBucketQuota(t.Context(), &apis.SetBucketQuotaRequest{Bucket: "bucket", Size: step.size, Count: step.count}, s.options)
		s.check("set", err)
		got, err := s.storage.GetBucketQuota(t.Context(), &apis.GetBucketQuotaRequest{Bucket: "bucket"}, s.options)
		s.check("get", err)
		if got.Size != step.wantSize || got.Count != step.wantCount {
			t.Errorf("after %d and %d: %+v", step.size, step.count, got)
		}
	}
	_, err := s.storage.SetBucketQuota(t.Context(), &apis.SetBucketQuotaRequest{Bucket: "bucket", Size: -2, Count: -2}, s.options)
	if code(err) != 400 {
		t.Errorf("-2: %v, want 400", err)
	}
}

func TestBucketRules(t *testing.T) {
	t.Parallel()
	s := newSettings(t)
	ctx := t.Context()
	_, err := s.storage.AddBucketRules(ctx, &apis.AddBucketRulesRequest{
		Bucket: "bucket", Name: "a", Prefix: "x", ToIaAfterDays: 1, ToArchiveIrAfterDays: 2, ToArchiveAfterDays: 3, ToDeepArchiveAfterDays: 4, DeleteAfterDays: 5,
	}, s.options)
	s.check("add", err)
	_, err = s.storage.AddBucketRules(ctx, &apis.AddBucketRulesRequest{Bucket: "bucket", Name: "b", DeleteAfterDays: 9}, s.options)
	s.check("add for every key", err)
	_, err = s.storage.AddBucketRules(ctx, &apis.AddBucketRulesRequest{Bucket: "bucket", Name: "a", Prefix: "y"}, s.options)
	if code(err) != 400 {
		t.Errorf("add again: %v, want 400", err)
	}
	_, err = s.storage.UpdateBucketRules(ctx, &apis.UpdateBucketRulesRequest{Bucket: "bucket", Name: "b", Prefix: "z", DeleteAfterDays: 8}, s.options)
	s.check("update", err)
	want := []get_bucket_rules.BucketRule{
		{Name: "a", Prefix: "x", ToIaAfterDays: 1, ToArchiveIrAfterDays: 2, ToArchiveAfterDays: 3, ToDeepArchiveAfterDays: 4, DeleteAfterDays: 5},
		{Name: "b", Prefix: "z", DeleteAfterDays: 8},
	}
	got, err := s.storage.GetBucketRules(ctx, &apis.GetBucketRulesRequest{Bucket: "bucket"}, s.options)
	s.check("get", err)
	for i := range got.BucketRules {
		if got.BucketRules[i].CreatedTime == "" {
			t.Errorf("rule %d has no time of creation", i)
		}
		got.BucketRules[i].CreatedTime = ""
	}
	if diff := cmp.Diff(want, []get_bucket_rules.BucketRule(got.BucketRules)); diff != "" {
		t.Errorf("rules (-want +got)\n%s", diff)
	}
	for _, name := range []string{"a", "b"} {
		_, err = s.storage.DeleteBucketRules(ctx, &apis.DeleteBucketRulesRequest{Bucket: "bucket", Name: name}, s.options)
		s.check("delete", err)
	}
	got, err = s.storage.GetBucketRules(ctx, &apis.GetBucketRulesRequest{Bucket: "bucket"}, s.options)
	if err != nil || len(got.BucketRules) != 0 {
		t.Errorf("after the last was deleted: %+v, %v", got, err)
	}
}

func TestBucketEventRules(t *testing.T) {
	t.Parallel()
	s := newSettings(t)
	ctx := t.Context()
	add := apis.AddBucketEventRuleRequest{
		Bucket: "bucket", Name: "a", Prefix: "p", Suffix: "s", EventTypes: []string{"put", "mkfile"},
		CallbackUrls: []string{"http://a.example.com/x?y=z", "https://b.example.com"}, AccessKey: "ak", Host: "h.example.com",
	}
	_, err := s.storage.AddBucketEventRule(ctx, &add, s.options)
	s.check("add", err)
	if _, err = s.storage.AddBucketEventRule(ctx, &add, s.options); code(err) != 400 || err.Error() != "event name exists" {
		t.Errorf("add again: %v, want 400", err)
	}
	want := []get_bucket_event_rules.BucketEventRule{{
		Name: "a", Prefix: "p", Suffix: "s", EventTypes: []string{"put", "mkfile"},
		CallbackUrls: []string{"http://a.example.com/x?y=z", "https://b.example.com"}, AccessKey: "ak", Host: "h.example.com",
	}}
	got, err := s.storage.GetBucketEventRules(ctx, &apis.GetBucketEventRulesRequest{Bucket: "bucket"}, s.options)
	s.check("get", err)
	if diff := cmp.Diff(want, []get_bucket_event_rules.BucketEventRule(got.BucketEventRules)); diff != "" {
		t.Errorf("rules (-want +got)\n%s", diff)
	}
	_, err = s.storage.UpdateBucketEventRule(ctx, &apis.UpdateBucketEventRuleRequest{
		Bucket: "bucket", Name: "a", EventTypes: []string{"delete"}, CallbackUrls: []string{"http://c.example.com"},
	}, s.options)
	s.check("update", err)
	_, err = s.storage.DeleteBucketEventRule(ctx, &apis.DeleteBucketEventRuleRequest{Bucket: "bucket", Name: "a"}, s.options)
	s.check("delete", err)
	got, err = s.storage.GetBucketEventRules(ctx, &apis.GetBucketEventRulesRequest{Bucket: "bucket"}, s.options)
	if err != nil || len(got.BucketEventRules) != 0 {
		t.Errorf("after the deletion: %+v, %v", got, err)
	}
}

func TestBucketCORSRules(t *testing.T) {
	t.Parallel()
	s := newSettings(t)
	set := func(rules set_bucket_cors_rules.CORSRules) {
		t.Helper()
		_, err := s.storage.SetBucketCORSRules(t.Context(), &apis.SetBucketCORSRulesRequest{Bucket: "bucket", CORSRules: rules}, s.options)
		s.check("set", err)
	}
	get := func() []get_bucket_cors_rules.CORSRule {
		t.Helper()
		got, err := s.storage.GetBucketCORSRules(t.Context(), &apis.GetBucketCORSRulesRequest{Bucket: "bucket"}, s.options)
		s.check("get", err)
		return got.CORSRules
	}
	set(set_bucket_cors_rules.CORSRules{
		{AllowedOrigin: []string{"http://a.com"}, AllowedMethod: []string{"GET"}, AllowedHeader: []string{"*"}, ExposedHeader: []string{"Etag"}, MaxAge: 20},
		{AllowedOrigin: []string{"*"}, AllowedMethod: []string{""}},
	})
	want := []get_bucket_cors_rules.CORSRule{
		{AllowedOrigin: []string{"http://a.com"}, AllowedMethod: []string{"GET"}, AllowedHeader: []string{"*"}, ExposedHeader: []string{"Etag"}, MaxAge: 20},
		{AllowedOrigin: []string{"*"}, AllowedMethod: []string{""}, AllowedHeader: []string{}, ExposedHeader: []string{}},
	}
	if diff := cmp.Diff(want, get()); diff != "" {
		t.Errorf("rules (-want +got)\n%s", diff)
	}
	set(nil) // The SDK sends null.
	if got := get(); len(got) != 0 {
		t.Errorf("after null: %+v", got)
	}
}
