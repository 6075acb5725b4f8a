package workspace

import "testing"

func TestRelease(t *testing.T) {
	t.Parallel()
	for said, want := range map[string]struct {
		release                                 Release
		ephemeral, writeOnly, identity, actions bool
	}{
		"Terraform v1.8.5\non linux_amd64\n":                             {Release{false, 1, 8}, false, false, false, false},
		"Terraform v1.10.0\n":                                            {Release{false, 1, 10}, true, false, false, false},
		"Terraform v1.11.4\n\nYour version is out of date!\n":            {Release{false, 1, 11}, true, true, false, false},
		"Terraform v1.15.9-dev\n":                                        {Release{false, 1, 15}, true, true, true, true},
		"Terraform v2.0.0\n":                                             {Release{false, 2, 0}, true, true, true, true},
		"│ Warning: a file v1 is missing\n\nOpenTofu v1.7.0-dev\non x\n": {Release{true, 1, 7}, false, false, false, false},
		"OpenTofu v1.10.6\n":                                             {Release{true, 1, 10}, false, false, false, false},
		"OpenTofu v1.11.0\n":                                             {Release{true, 1, 11}, true, true, false, false},
		"OpenTofu v1.12.6\n":                                             {Release{true, 1, 12}, true, true, true, false},
	} {
		got, err := parseRelease(said)
		if err != nil || got != want.release || got.Ephemeral() != want.ephemeral || got.WriteOnly() != want.writeOnly || got.Identity() != want.identity || got.Actions() != want.actions {
			t.Errorf("%q is %+v, %v; ephemeral %t, write-only %t, identity %t, actions %t; want %+v", said, got, err, got.Ephemeral(), got.WriteOnly(), got.Identity(), got.Actions(), want)
		}
	}
	if got, err := parseRelease("Pulumi v3.1.0\n"); err == nil {
		t.Errorf("another program is %+v", got)
	}
}
