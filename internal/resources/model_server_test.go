package resources_test

import (
	"encoding/base64"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/qiniu/terraform-provider-kodo/internal/acctest"
	"github.com/qiniu/terraform-provider-kodo/internal/emulator/engine"
)

// This file is where the model meets the world: blocks as values, what somebody else
// does, and what the server has.

// modelFiles are files that hold each content, by that.
func modelFiles(t *testing.T) map[string]string {
	t.Helper()
	files, dir := map[string]string{}, t.TempDir()
	for hash, content := range modelHashes {
		files[content] = filepath.Join(dir, hash)
		if err := os.WriteFile(files[content], []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return files
}

// write does what somebody else does.
func (m *modelRun) write(writes []outsideWrite) error {
	for _, write := range writes {
		if err := m.writeOne(write); err != nil {
			return fmt.Errorf("%s of %s: %w", write.do, write.key, err)
		}
	}
	return nil
}

func (m *modelRun) writeOne(write outsideWrite) error {
	e, ref := m.h.Engine(), engine.ObjectRef{Owner: acctest.AccessKey, Bucket: m.bucket, Key: write.key}
	meta := func(name string) error {
		return e.ChangeMeta(engine.MetaChange{ObjectRef: ref, Meta: map[string]string{name: write.value}})
	}
	switch write.do {
	case "put":
		return m.put(write.key, *write.put)
	case "delete":
		return e.Delete(acctest.AccessKey, m.bucket, write.key)
	case "content type":
		return e.ChangeMeta(engine.MetaChange{ObjectRef: ref, MimeType: write.value})
	case "cache control":
		return meta("!Cache-Control")
	case "owner":
		return meta("owner")
	case "other metadata":
		return meta("other")
	case "class":
		return e.ChangeClass(ref, slices.Index(kodoClasses, write.value))
	case "cancel deletion":
		return e.ChangeLifetime(ref, engine.Days{Delete: engine.Cancel})
	case "cancel transition":
		return e.ChangeLifetime(ref, engine.Days{To: map[int]int{engine.IA: engine.Cancel}})
	default:
		return e.ChangeStatus(ref, write.do == "disable")
	}
}

// kodoClasses are the classes by Kodo's numbers.
var kodoClasses = []string{"STANDARD", "IA", "ARCHIVE", "DEEP_ARCHIVE", "ARCHIVE_IR", "INTELLIGENT_TIERING"}

// put stores an object as somebody else does.
func (m *modelRun) put(key string, object stored) error {
	blob, err := m.h.Engine().NewBlob(strings.NewReader(object.content))
	if err != nil {
		return err
	}
	defer blob.Discard()
	put := engine.Put{
		Owner: acctest.AccessKey, Bucket: m.bucket, Key: &key, Blob: blob, MimeType: object.contentType,
		FileType: slices.Index(kodoClasses, object.class), Meta: map[string]string{},
	}
	if object.owner != "" {
		put.Meta["owner"] = object.owner
	}
	if object.deletes {
		put.DeleteAfterDays = 7
	}
	_, err = m.h.Engine().PutObject(put)
	return err
}

// values is a block as the driver takes it.
func (m *modelRun) values(s spec) values {
	config := values{"bucket": m.bucket, "key": s.key, "overwrite": s.overwrite, "enabled": !s.disabled}
	switch s.from {
	case "content":
		config["content"] = s.content
	case "content_base64":
		config["content_base64"] = base64.StdEncoding.EncodeToString([]byte(s.content))
	case "content_wo":
		config["content_wo"], config["content_wo_version"] = s.content, s.version
	case "source_hash":
		config["source_hash"] = fmt.Sprint(s.version)
		fallthrough
	case "source":
		config["source"] = m.files[s.content]
	}
	for name, text := range map[string]string{
		"domain": s.domain, "deletion_policy": s.policy, "content_type": s.contentType, "cache_control": s.cacheControl, "storage_class": s.class,
	} {
		if text != "" {
			config[name] = text
		}
	}
	if metadata := s.metadata(); metadata != nil {
		config["metadata"] = metadata
	}
	if s.deletes > 0 {
		config["delete_after_days"] = s.deletes
	}
	if s.toIA > 0 {
		config["transition"] = map[string]any{"ia_days": s.toIA}
	}
	return config
}

// metadata is that of the block, nil for none.
func (s spec) metadata() map[string]any {
	var metadata map[string]any
	for name, text := range map[string]string{"owner": s.owner, "team": s.team} {
		if text == "" {
			continue
		}
		if metadata == nil {
			metadata = map[string]any{}
		}
		metadata[name] = text
	}
	return metadata
}

// content is what an object holds. An archive does not tell, but its hash does.
func (m *modelRun) content(o engine.Object) (string, error) {
	if kodoClasses[o.FileType] != "ARCHIVE" {
		content, err := m.h.Content(m.bucket, o.Key)
		return string(content), err
	}
	content, ok := modelHashes[o.Hash]
	if !ok {
		return "", fmt.Errorf("the object %s has the hash %s, which no content of the model has", o.Key, o.Hash)
	}
	return content, nil
}

// modelHashes are the contents by their hashes, worked out with Python's hashlib.
var modelHashes = map[string]string{
	"Fto5o-5ea0sNMlW_75VgGJCv2AcJ": "",
	helloETag:                      "hello",
	etagETag:                       "etag",
	"FpRx1VrkQnEjO4CSWySYH9EqqGyU": strings.Repeat("long ", 200),
	"FrLRlABBrbhntstBMRZr1u73Afk6": somebodyElses,
}

// compareServer wants the server to hold the objects of a world.
func (m *modelRun) compareServer(w world) error {
	got := map[string]stored{}
	keys, err := m.h.Keys(m.bucket)
	if err != nil {
		return err
	}
	for _, key := range keys {
		o, err := m.h.Engine().Stat(acctest.AccessKey, m.bucket, key)
		if err != nil {
			return err
		}
		content, err := m.content(o)
		if err != nil {
			return err
		}
		object := stored{
			content: content, contentType: o.MimeType, cacheControl: o.Meta["!Cache-Control"], owner: o.Meta["owner"], team: o.Meta["team"], other: o.Meta["other"],
			class: kodoClasses[o.FileType], deletes: o.DeletesAt != 0, toIA: o.Transitions[engine.IA] != 0, disabled: o.Disabled,
		}
		if w.loose[key].deletes {
			object.deletes = w.server[key].deletes
		}
		if w.loose[key].toIA {
			object.toIA = w.server[key].toIA
		}
		got[key] = object
	}
	if diff := cmp.Diff(w.server, got, cmp.AllowUnexported(stored{})); diff != "" {
		return fmt.Errorf("objects (-want +got):\n%s", diff)
	}
	return nil
}
