package httpapi

import (
	"slices"

	"github.com/qiniu/terraform-provider-kodo/internal/emulator/engine"
)

// listedObject is an object in a listing.
type listedObject struct {
	Key string `json:"key"`
	objectInfo
	Status int `json:"status"` // 1: disabled; always there in a listing, in stat only when it is not 0
}

// listing is the answer of /list.
type listing struct {
	Marker         string         `json:"marker,omitempty"` // absent on the last page
	CommonPrefixes []string       `json:"commonPrefixes,omitempty"`
	Items          []listedObject `json:"items"`
}

// list serves /list?bucket=&prefix=&delimiter=&marker=&limit=&needparts=, with
// query or form.
func (s *Server) list(c *call) (any, error) {
	page, err := c.listPage()
	if err != nil {
		return nil, err
	}
	answer := listing{Marker: page.Marker, CommonPrefixes: page.CommonPrefixes, Items: []listedObject{}}
	for _, object := range page.Items {
		answer.Items = append(answer.Items, listedObjectOf(object))
	}
	return answer, nil
}

// listedLine is a line of the answer of /v2/list: an item or a common prefix, and
// the marker of what comes after it, empty on the last line of the last page. All
// three are always there: the Java SDK reads them without a look.
type listedLine struct {
	Marker string        `json:"marker"`
	Item   *listedObject `json:"item"`
	Dir    string        `json:"dir"`
}

// listV2 serves /v2/list, the same page as one line of JSON for each item and each
// common prefix, all in the byte order of the keys (fact:object-list-lines).
func (s *Server) listV2(c *call) (any, error) {
	page, err := c.listPage()
	if err != nil {
		return nil, err
	}
	var answer lines
	for len(page.Items)+len(page.CommonPrefixes) > 0 {
		var line listedLine
		if len(page.CommonPrefixes) == 0 || len(page.Items) > 0 && page.Items[0].Key < page.CommonPrefixes[0] {
			item := listedObjectOf(page.Items[0])
			line, page.Items = listedLine{Marker: engine.MarkerAfter(item.Key), Item: &item}, page.Items[1:]
		} else {
			dir := page.CommonPrefixes[0]
			line, page.CommonPrefixes = listedLine{Marker: engine.MarkerAfter(dir), Dir: dir}, page.CommonPrefixes[1:]
		}
		if len(page.Items)+len(page.CommonPrefixes) == 0 {
			line.Marker = page.Marker
		}
		answer = append(answer, line)
	}
	if len(answer) == 0 && page.Marker != "" {
		answer = lines{listedLine{Marker: page.Marker}}
	}
	return answer, nil
}

// listPage returns the page that a listing asks for, as far as faults let it be
// seen.
func (c *call) listPage() (engine.ListPage, error) {
	limit, err := c.number("limit", 0)
	if err != nil {
		return engine.ListPage{}, err
	}
	request := engine.ListRequest{
		Owner: c.owner, Bucket: c.params.Get("bucket"),
		Prefix: c.params.Get("prefix"), Delimiter: c.params.Get("delimiter"),
		Marker: c.params.Get("marker"), Limit: limit,
		NeedParts: c.params.Get("needparts") == "true",
	}
	page, err := c.s.engine.List(request)
	if err != nil {
		return engine.ListPage{}, err
	}
	if c.struckBy(FaultEmptyPage) {
		if request.Marker == "" {
			request.Marker = engine.FirstMarker()
		}
		return engine.ListPage{Marker: request.Marker}, nil
	}
	page.Items = slices.DeleteFunc(page.Items, func(o engine.Object) bool { return c.fault.hides(o.Bucket, o.Key) })
	return page, nil
}

func listedObjectOf(object engine.Object) listedObject {
	return listedObject{Key: object.Key, objectInfo: infoOf(object), Status: statusOf(object)}
}
