package httpapi

import (
	"net/http"
	"strconv"
	"strings"

	"github.com/qiniu/terraform-provider-kodo/internal/emulator/engine"
)

// pfopTarget is the object that a task is for.
func pfopTarget(c *call) []target {
	return []target{{bucket: c.params.Get("bucket"), key: c.params.Get("key"), keyed: true}}
}

type persistent struct {
	ID string `json:"persistentId"`
}

// processObject serves POST /pfop: it notes the task.
func (s *Server) processObject(c *call) (any, error) {
	id, err := s.engine.AddTask(engine.Task{
		Owner: c.owner, Bucket: c.params.Get("bucket"), Key: c.params.Get("key"), Operations: c.params.Get("fops"),
		Template: c.params.Get("workflowTemplateID"), NotifyURL: c.params.Get("notifyURL"), Pipeline: c.params.Get("pipeline"),
	})
	if err != nil {
		return nil, err
	}
	return persistent{ID: id}, nil
}

// The states of a task and of its operations, by Kodo's numbers.
const taskFailed = 3

// taskState is the answer to /status/get/prefop.
type taskState struct {
	ID          string           `json:"id"`
	Code        int              `json:"code"`
	Description string           `json:"desc"`
	Bucket      string           `json:"inputBucket"`
	Key         string           `json:"inputKey"`
	Pipeline    string           `json:"pipeline"`
	Request     string           `json:"reqid"`
	Items       []operationState `json:"items"`
}

type operationState struct {
	Command     string `json:"cmd"`
	Code        int    `json:"code"`
	Description string `json:"desc"`
	Error       string `json:"error"`
	ReturnOld   int    `json:"returnOld"`
}

// processState serves /status/get/prefop?id=<id>, which nobody signs. No operation
// is ever carried out, and each says so (fact:upload-persistent-nothing).
func (s *Server) processState(c *call) (any, error) {
	if strings.Join(c.arguments, "/") != "prefop" {
		return nil, notImplemented(c.r.Method + " " + c.path)
	}
	task, err := s.engine.Task(c.params.Get("id"))
	if err != nil {
		return nil, err
	}
	state := taskState{
		ID: task.ID, Code: taskFailed, Description: "The fop is failed", Bucket: task.Bucket, Key: task.Key,
		Pipeline: task.Pipeline, Request: c.w.Header().Get("X-Reqid"), Items: []operationState{},
	}
	for command := range strings.SplitSeq(task.Operations, ";") {
		if command != "" {
			state.Items = append(state.Items, operationState{
				Command: command, Code: taskFailed, Description: state.Description,
				Error: "this emulator carries out no operation (" + strconv.Itoa(http.StatusNotImplemented) + ")",
			})
		}
	}
	return state, nil
}
