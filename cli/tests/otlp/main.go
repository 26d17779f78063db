// Reads a file of OpenTelemetry profiles with the collector's own unmarshallers, from protobuf or JSON, and prints what it contains.
package main

import (
	"encoding/json"
	"fmt"
	"os"
	"slices"
	"strings"

	"go.opentelemetry.io/collector/pdata/pprofile"
)

// Content is what the test compares with the program.
type Content struct {
	// Sums of the values by sample type.
	Sums map[string]int64 `json:"sums"`
	// Frames are the names of functions on stacks, sorted.
	Frames []string `json:"frames"`
	// Attributes are the keys of attributes of samples and locations, sorted.
	Attributes []string `json:"attributes"`
}

func read(path string) (pprofile.Profiles, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return pprofile.Profiles{}, err
	}
	if strings.HasSuffix(path, ".json") {
		return (&pprofile.JSONUnmarshaler{}).UnmarshalProfiles(data)
	}
	return (&pprofile.ProtoUnmarshaler{}).UnmarshalProfiles(data)
}

func content(all pprofile.Profiles) Content {
	dictionary := all.Dictionary()
	text := func(i int32) string { return dictionary.StringTable().At(int(i)) }
	sums, frames, keys := map[string]int64{}, map[string]bool{}, map[string]bool{}
	for _, resource := range all.ResourceProfiles().All() {
		for _, scope := range resource.ScopeProfiles().All() {
			for _, profile := range scope.Profiles().All() {
				name := text(profile.SampleType().TypeStrindex())
				for _, sample := range profile.Samples().All() {
					for _, value := range sample.Values().All() {
						sums[name] += value
					}
					for _, i := range sample.AttributeIndices().All() {
						keys[text(dictionary.AttributeTable().At(int(i)).KeyStrindex())] = true
					}
					stack := dictionary.StackTable().At(int(sample.StackIndex()))
					for _, i := range stack.LocationIndices().All() {
						location := dictionary.LocationTable().At(int(i))
						for _, i := range location.AttributeIndices().All() {
							keys[text(dictionary.AttributeTable().At(int(i)).KeyStrindex())] = true
						}
						for _, line := range location.Lines().All() {
							function := dictionary.FunctionTable().At(int(line.FunctionIndex()))
							frames[text(function.NameStrindex())] = true
						}
					}
				}
			}
		}
	}
	return Content{sums, sorted(frames), sorted(keys)}
}

func sorted(set map[string]bool) []string {
	list := []string{}
	for name := range set {
		list = append(list, name)
	}
	slices.Sort(list)
	return list
}

func main() {
	list := []Content{}
	for _, path := range os.Args[1:] {
		all, err := read(path)
		if err != nil {
			fmt.Fprintf(os.Stderr, "%s: %v\n", path, err)
			os.Exit(1)
		}
		list = append(list, content(all))
	}
	if err := json.NewEncoder(os.Stdout).Encode(list); err != nil {
		panic(err)
	}
}
