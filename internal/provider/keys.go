package provider

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"path/filepath"
	"slices"
	"strings"

	"github.com/BurntSushi/toml"
	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/path"
)

// keyPair is an account's access key and secret key, and where they were found
// in words that follow "the keys come from".
type keyPair struct {
	access, secret, source string
}

// complete checks a pair of which the source has at least a half. The names are
// the source's own words for the two keys.
func complete(pair keyPair, accessName, secretName string) (keyPair, diag.Diagnostic) {
	switch {
	case pair.access == "":
		return keyPair{}, halfPair(path.Root("access_key"), pair.source, secretName, accessName)
	case pair.secret == "":
		return keyPair{}, halfPair(path.Root("secret_key"), pair.source, accessName, secretName)
	}
	if err := checkKey(pair.access); err != nil {
		return keyPair{}, badKey(path.Root("access_key"), pair.source, accessName, err)
	}
	if err := checkKey(pair.secret); err != nil {
		return keyPair{}, badKey(path.Root("secret_key"), pair.source, secretName, err)
	}
	return pair, nil
}

func halfPair(on path.Path, source, has, lacks string) diag.Diagnostic {
	return diag.NewAttributeErrorDiagnostic(on, "Half a Pair of Keys", fmt.Sprintf(
		"The keys come from %s, which has %s but not %s. Both keys must come from one place, because keys of two places could belong to two accounts: "+
			"set %s there too, or remove %s.", source, has, lacks, lacks, has))
}

func badKey(on path.Path, source, name string, err error) diag.Diagnostic {
	return diag.NewAttributeErrorDiagnostic(on, "Invalid Key", fmt.Sprintf(
		"The keys come from %s, where %s is %s. Set it to the key as Qiniu shows it.", source, name, err))
}

const (
	defaultProfile    = "default"
	defaultConfigFile = "~/.qiniu/config.toml"
)

// missingKeys is the error when no source has any key.
func missingKeys(file string) diag.Diagnostic {
	return diag.NewAttributeErrorDiagnostic(path.Root("access_key"), "Missing Keys", fmt.Sprintf(
		"The provider has no keys of an account. It takes them from the first of these that is there:\n\n"+
			"  1. access_key and secret_key in the provider block\n"+
			"  2. profile in the provider block\n"+
			"  3. the environment variables %s and %s\n"+
			"  4. the environment variable %s, with the name of a profile\n"+
			"  5. the profile %q\n\n"+
			"A profile is a table with access_key and secret_key in the file %s; the environment variable %s can name another file.",
		envAccessKey, envSecretKey, envProfile, defaultProfile, file, envConfigFile))
}

// defaultProfileKeys takes the keys of the profile that is used when nothing
// names one. It may be missing, and so may its file unless it was named.
func (e Environment) defaultProfileKeys() (keyPair, diag.Diagnostic) {
	named := e.Getenv(envConfigFile)
	pair, err := e.readProfile(defaultProfile)
	switch {
	case errors.Is(err, errNoKeys), errors.Is(err, fs.ErrNotExist) && named == "":
		return keyPair{}, missingKeys(cmp.Or(named, defaultConfigFile))
	case err != nil:
		return keyPair{}, diag.NewAttributeErrorDiagnostic(path.Root("access_key"), "Configuration File Not Read", fmt.Sprintf(
			"The provider block and the environment have no keys, so they were looked for in the profile %q of a file, but %s.", defaultProfile, err))
	}
	return complete(pair, "access_key", "secret_key")
}

// profileKeys takes the keys of a profile that must be there, because the
// configuration or the environment names it.
func (e Environment) profileKeys(name, namedBy string) (keyPair, diag.Diagnostic) {
	pair, err := e.readProfile(name)
	if err != nil {
		return keyPair{}, diag.NewAttributeErrorDiagnostic(path.Root("profile"), "Profile Not Read", fmt.Sprintf(
			"The keys are to come from the profile %q, named by %s, but %s.", name, namedBy, err))
	}
	return complete(pair, "access_key", "secret_key")
}

// errNoKeys says that the file can be read but has nothing for the profile.
var errNoKeys = errors.New("no keys")

// readProfile reads one table of the file that Qiniu's SDKs share. Its errors
// are clauses. They hold nothing of the file but the names of its tables and
// the number of a line, since any other text in it could be a secret.
func (e Environment) readProfile(name string) (keyPair, error) {
	file := e.Getenv(envConfigFile)
	if file == "" {
		home := e.home()
		if home == "" {
			return keyPair{}, fmt.Errorf("the home folder is unknown, so %s cannot be read: %w", defaultConfigFile, fs.ErrNotExist)
		}
		file = filepath.Join(home, ".qiniu", "config.toml")
	}

	var tables map[string]toml.Primitive
	meta, err := toml.DecodeFile(file, &tables)
	var syntax toml.ParseError
	switch {
	case errors.As(err, &syntax):
		return keyPair{}, fmt.Errorf("the file %s is not TOML, see its line %d", file, syntax.Position.Line)
	case err != nil:
		return keyPair{}, fmt.Errorf("the file could not be read: %w", err)
	}
	table, ok := tables[name]
	if !ok {
		return keyPair{}, fmt.Errorf("the file %s has %w for it, only the profiles [%s]", file, errNoKeys,
			strings.Join(slices.Sorted(maps.Keys(tables)), ", "))
	}
	var keys struct {
		AccessKey string `toml:"access_key"`
		SecretKey string `toml:"secret_key"`
	}
	if err := meta.PrimitiveDecode(table, &keys); err != nil {
		return keyPair{}, fmt.Errorf("in the file %s it is not a table in which access_key and secret_key are strings", file)
	}
	if keys.AccessKey == "" && keys.SecretKey == "" {
		return keyPair{}, fmt.Errorf("in the file %s it has %w", file, errNoKeys)
	}
	return keyPair{access: keys.AccessKey, secret: keys.SecretKey, source: fmt.Sprintf("the profile %q in %s", name, file)}, nil
}
