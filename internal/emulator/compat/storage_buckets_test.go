package compat_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/qiniu/go-sdk/v7/storage"
)

// testSettings makes every call of BucketManager that changes a bucket's settings.
func (v *v1) testSettings(t *testing.T) {
	t.Parallel()
	manager := storage.NewBucketManager(v.mac, v.config)
	for what, err := range map[string]error{
		"remark":     manager.SetRemark("settings", "备注"),
		"max age":    manager.SetBucketMaxAge("settings", 60),
		"protection": manager.TurnOnBucketProtected("settings"),
		"index page": manager.TurnOnIndexPage("settings"),
		"private":    manager.MakeBucketPrivate("settings"),
		"tags":       manager.SetTagging("settings", map[string]string{"k": "v"}),
		"referer": manager.SetReferAntiLeechMode("settings", (&storage.ReferAntiLeechConfig{}).
			SetMode(2).SetPattern("foo.com").AddDomainPattern("*.bar.com").SetEmptyReferer(true).SetEnableSource(true)),
	} {
		if err != nil {
			t.Errorf("%s: %v", what, err)
		}
	}
	info, err := manager.GetBucketInfo("settings")
	if err != nil {
		t.Fatal(err)
	}
	if info.Remark != "备注" || info.MaxAge != 60 || !info.ProtectedOn() || !info.IndexPageOn() || !info.IsPrivate() || !info.BlackListSet() ||
		cmp.Diff([]string{"foo.com", "*.bar.com"}, info.ReferBl) != "" || info.ReferWl != nil || !info.EnableSource || !info.NoRefer {
		t.Errorf("info: %+v", info)
	}
	summaries, err := manager.BucketInfosInRegion("z2", true)
	if err != nil || len(summaries) != 1 || summaries[0].Name != "settings" || summaries[0].Info.Remark != "备注" {
		t.Errorf("infos: %+v, %v", summaries, err)
	}
	tags, err := manager.GetTagging("settings")
	if err != nil || cmp.Diff(map[string]string{"k": "v"}, tags) != "" {
		t.Errorf("tags: %v, %v", tags, err)
	}
	for what, err := range map[string]error{
		"no protection": manager.TurnOffBucketProtected("settings"),
		"no index page": manager.TurnOffIndexPage("settings"),
		"public":        manager.MakeBucketPublic("settings"),
		"no tags":       manager.ClearTagging("settings"),
		"no referer":    manager.SetReferAntiLeechMode("settings", &storage.ReferAntiLeechConfig{}),
	} {
		if err != nil {
			t.Errorf("%s: %v", what, err)
		}
	}
	info, err = manager.GetBucketInfo("settings")
	if err != nil || info.ProtectedOn() || info.IndexPageOn() || info.IsPrivate() || info.BlackListSet() || info.ReferBl != nil || info.NoRefer {
		t.Errorf("info: %+v, %v", info, err)
	}
	domains, err := manager.ListBucketDomains("settings")
	if err != nil || len(domains) != 1 || domains[0].Tbl != "settings" {
		t.Errorf("domains: %+v, %v", domains, err)
	}
	if err := manager.SetBucketQuota("settings", 100, -1); err != nil {
		t.Errorf("quota: %v", err)
	}
	if quota, err := manager.GetBucketQuota("settings"); err != nil || quota != (storage.BucketQuota{Size: 100, Count: -1}) {
		t.Errorf("quota: %+v, %v", quota, err)
	}
}

// testRules makes every call of BucketManager on the rules of a bucket.
func (v *v1) testRules(t *testing.T) {
	t.Parallel()
	manager := storage.NewBucketManager(v.mac, v.config)
	rule := storage.BucketLifeCycleRule{Name: "a", Prefix: "x", ToLineAfterDays: 1, ToArchiveAfterDays: 3, ToDeepArchiveAfterDays: 4, DeleteAfterDays: 5}
	if err := manager.AddBucketLifeCycleRule("rules", &rule); err != nil {
		t.Errorf("add: %v", err)
	}
	rule.DeleteAfterDays = 9
	if err := manager.UpdateBucketLifeCycleRule("rules", &rule); err != nil {
		t.Errorf("update: %v", err)
	}
	rules, err := manager.GetBucketLifeCycleRule("rules")
	if err != nil || cmp.Diff([]storage.BucketLifeCycleRule{rule}, rules) != "" {
		t.Errorf("rules: %+v, %v", rules, err)
	}
	if err := manager.DelBucketLifeCycleRule("rules", "a"); err != nil {
		t.Errorf("delete: %v", err)
	}

	event := storage.BucketEventRule{Name: "a", Prefix: "x", Suffix: "y", Event: []string{"put"}, CallbackURL: []string{"http://a.example.com"}, AccessKey: "ak", Host: "h"}
	if err := manager.AddBucketEvent("rules", &event); err != nil {
		t.Errorf("add an event rule: %v", err)
	}
	event.Event = []string{"delete", "copy"}
	if err := manager.UpdateBucketEnvent("rules", &event); err != nil {
		t.Errorf("update an event rule: %v", err)
	}
	events, err := manager.GetBucketEvent("rules")
	if err != nil || cmp.Diff([]storage.BucketEventRule{event}, events) != "" {
		t.Errorf("event rules: %+v, %v", events, err)
	}
	if err := manager.DelBucketEvent("rules", "a"); err != nil {
		t.Errorf("delete an event rule: %v", err)
	}

	// AddCorsRules sends the methods as the origins: what it has set comes back so.
	if err := manager.AddCorsRules("rules", []storage.CorsRule{{AllowedOrigin: []string{"http://a.com"}, AllowedMethod: []string{"GET"}, MaxAge: 5}}); err != nil {
		t.Errorf("set CORS rules: %v", err)
	}
	cors, err := manager.GetCorsRules("rules")
	if err != nil || len(cors) != 1 || cmp.Diff([]string{"GET"}, cors[0].AllowedOrigin) != "" || cors[0].MaxAge != 5 {
		t.Errorf("CORS rules: %+v, %v", cors, err)
	}
}
