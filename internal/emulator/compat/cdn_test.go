package compat_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/qiniu/go-sdk/v7/auth"
	"github.com/qiniu/go-sdk/v7/cdn"

	"github.com/qiniu/terraform-provider-kodo/internal/emulator"
)

// TestCDN makes the calls of the SDK's package cdn. Its host is a variable of the
// package, which no other test touches.
func TestCDN(t *testing.T) {
	t.Parallel()
	e, err := emulator.New(emulator.Options{
		Buckets: []emulator.BucketSpec{{Name: "site"}}, Domains: []emulator.DomainSpec{{Bucket: "site", Host: "cdn.example.com"}},
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := e.Close(); err != nil {
			t.Error(err)
		}
	})
	if err := e.Put("site", "a", "", []byte("a")); err != nil {
		t.Fatal(err)
	}
	cdn.FusionHost = e.Endpoint()
	account := e.Account()
	manager := cdn.NewCdnManager(auth.New(account.AccessKey, account.SecretKey))
	const url, dir = "http://cdn.example.com/a", "http://cdn.example.com/d/"

	refreshed, err := manager.RefreshUrlsAndDirs([]string{url}, []string{dir})
	if err != nil || refreshed.Code != 200 || refreshed.URLSurplusDay != 499 || refreshed.DirSurplusDay != 10 || refreshed.RequestID == "" {
		t.Errorf("refresh: %+v, %v", refreshed, err)
	}
	refreshed, err = manager.RefreshUrls([]string{"ftp://cdn.example.com/a"})
	if err != nil || refreshed.Code != 400031 || cmp.Diff([]string{"ftp://cdn.example.com/a"}, refreshed.InvalidUrls) != "" {
		t.Errorf("refresh of nothing: %+v, %v", refreshed, err)
	}
	fetched, err := manager.PrefetchUrls([]string{url})
	if err != nil || fetched.Code != 200 || fetched.SurplusDay != 99 {
		t.Errorf("prefetch: %+v, %v", fetched, err)
	}
	logs, err := manager.GetCdnLogList("2026-03-01", []string{"cdn.example.com"})
	if err != nil || logs.Code != 200 || len(logs.Data["cdn.example.com"]) != 0 {
		t.Errorf("logs: %+v, %v", logs, err)
	}
}
