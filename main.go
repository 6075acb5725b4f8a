// Command terraform-provider-kodo serves the provider "kodo" to Terraform and
// OpenTofu, which start it themselves.
package main

import (
	"flag"
	"log"

	"github.com/hashicorp/terraform-plugin-go/tfprotov6"

	"github.com/qiniu/terraform-provider-kodo/internal/provider"
)

// version is set by the release build with -ldflags "-X main.version=1.2.3".
var version = "dev"

func main() {
	debug := flag.Bool("debug", false, "run as a server that a debugger such as delve can attach to")
	flag.Parse()

	newServer := func() tfprotov6.ProviderServer { return provider.NewServer(provider.New(version)()) }
	if err := provider.Serve(newServer, *debug); err != nil {
		log.Fatal(err)
	}
}
