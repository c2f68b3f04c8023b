// The entry point of the Kubernetes provider's module, whose own main needs a generated schema.
// The tools build lays schema.json beside this file, taken from the verified module.
package main

import (
	_ "embed"

	"github.com/pulumi/pulumi-kubernetes/provider/v4/pkg/provider"
)

//go:embed schema.json
var schema []byte

func main() {
	provider.Serve("kubernetes", "4.25.0", schema, []byte("{}"))
}
