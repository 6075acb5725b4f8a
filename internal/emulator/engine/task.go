package engine

import (
	"encoding/hex"
	"fmt"

	"github.com/qiniu/terraform-provider-kodo/internal/emulator/store"
)

// Task is something that Kodo would do to an object later on. The emulator keeps
// what was asked for and does nothing (fact:upload-persistent-nothing).
type Task struct {
	ID         string `json:"-"`
	Owner      string
	Bucket     string
	Key        string
	Operations string
	Template   string // of a workflow, instead of operations
	NotifyURL  string
	Pipeline   string
	Created    int64 // 100 ns since 1970
}

// AddTask notes a task for an object that is there, and returns its id.
func (e *Engine) AddTask(task Task) (id string, err error) {
	if task.Operations == "" && task.Template == "" {
		return "", errorf(400, "invalid argument")
	}
	err = e.update(func(tx *store.Tx) error {
		bucket, err := ownBucket(tx, task.Owner, task.Bucket)
		if err != nil {
			return err
		}
		if _, _, err := e.needObject(tx, task.Bucket, task.Key); err != nil {
			return err
		}
		if task.Created, err = e.tick(tx); err != nil {
			return err
		}
		id = fmt.Sprintf("%s.%016x%s", bucket.Region, task.Created, hex.EncodeToString(random(4)))
		return write(tx, taskKey(id), task, nil)
	})
	return id, err
}

// Task returns a task of any account: its id is all that Kodo asks for.
func (e *Engine) Task(id string) (task Task, err error) {
	err = e.view(func(tx *store.Tx) error {
		_, found, err := read(tx, taskKey(id), &task)
		if err == nil && !found {
			err = errorf(612, "no such persistentId")
		}
		task.ID = id
		return err
	})
	return task, err
}
