package resources

import "github.com/hashicorp/terraform-plugin-framework/tfsdk"

var (
	GetModel = getModel[tfsdk.State]
	SetModel = setModel[*tfsdk.State]
	FormOf   = formOf
)

// NewObjectModel is an empty model of kodo_object.
func NewObjectModel() any { return &objectModel{} }

// NewCopyModel is one of kodo_object_copy.
func NewCopyModel() any { return &copyModel{} }
