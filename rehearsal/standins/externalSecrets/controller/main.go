// Stand-in for the External Secrets operator: reads what the ExternalSecrets of its namespace name from OpenBao, at the
// store's own address, and writes it into Secrets. It polls, and knows SecretStores of provider vault with Kubernetes
// auth only; it logs in as its own ServiceAccount.
package main

import (
	"bytes"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log"
	"net/http"
	"os"
	"time"
)

const (
	account  = "/var/run/secrets/kubernetes.io/serviceaccount/"
	group    = "/apis/external-secrets.io/v1"
	interval = time.Second
	bound    = 5 * time.Second
)

var errNotFound = errors.New("not found")

func main() {
	api, err := newAPI()
	if err != nil {
		log.Fatal(err)
	}
	for ; ; time.Sleep(interval) {
		var list struct{ Items []externalSecret }
		if err := api.call("GET", group+api.space("externalsecrets"), nil, &list); err != nil {
			log.Print(err)
			continue
		}
		for _, one := range list.Items {
			if one.due(time.Now()) {
				api.reconcile(one)
			}
		}
	}
}

type externalSecret struct {
	Metadata struct {
		Name        string            `json:"name"`
		Generation  int64             `json:"generation"`
		Labels      map[string]string `json:"labels"`
		Annotations map[string]string `json:"annotations"`
	} `json:"metadata"`
	Spec struct {
		RefreshInterval string `json:"refreshInterval"`
		SecretStoreRef  struct {
			Name string `json:"name"`
		} `json:"secretStoreRef"`
		Target struct {
			Name string `json:"name"`
		} `json:"target"`
		Data []struct {
			SecretKey string `json:"secretKey"`
			RemoteRef struct {
				Key      string `json:"key"`
				Property string `json:"property"`
			} `json:"remoteRef"`
		} `json:"data"`
	} `json:"spec"`
	Status struct {
		RefreshTime           time.Time `json:"refreshTime"`
		SyncedResourceVersion string    `json:"syncedResourceVersion"`
	} `json:"status"`
}

// version changes with the spec, the labels and the annotations, as the operator's own does.
func (e externalSecret) version() string {
	meta, _ := json.Marshal([]any{e.Metadata.Labels, e.Metadata.Annotations})
	return fmt.Sprintf("%d-%x", e.Metadata.Generation, sha256.Sum256(meta))
}

func (e externalSecret) due(now time.Time) bool {
	every, err := time.ParseDuration(e.Spec.RefreshInterval)
	late := err == nil && every > 0 && now.After(e.Status.RefreshTime.Add(every))
	return late || e.version() != e.Status.SyncedResourceVersion
}

func (a *api) reconcile(e externalSecret) {
	err := a.sync(e)
	status := map[string]any{}
	ready := map[string]string{"type": "Ready", "status": "True", "reason": "SecretSynced"}
	if err != nil {
		log.Printf("%s: %v", e.Metadata.Name, err)
		ready["status"], ready["reason"], ready["message"] = "False", "SecretSyncedError", err.Error()
	} else {
		status["refreshTime"] = time.Now().UTC().Format(time.RFC3339)
		status["syncedResourceVersion"] = e.version()
	}
	status["conditions"] = []any{ready}
	path := group + a.space("externalsecrets") + "/" + e.Metadata.Name + "/status"
	if err := a.call("PATCH", path, map[string]any{"status": status}, nil); err != nil {
		log.Print(err)
	}
}

func (a *api) sync(e externalSecret) error {
	store, err := a.store(e.Spec.SecretStoreRef.Name)
	if err != nil {
		return err
	}
	data := map[string][]byte{}
	for _, one := range e.Spec.Data {
		value, err := store.read(one.RemoteRef.Key, one.RemoteRef.Property)
		if err != nil {
			return err
		}
		data[one.SecretKey] = []byte(value)
	}
	secrets := "/api/v1" + a.space("secrets")
	body := map[string]any{"metadata": map[string]any{"name": e.Spec.Target.Name}, "data": data}
	err = a.call("PATCH", secrets+"/"+e.Spec.Target.Name, body, nil)
	if errors.Is(err, errNotFound) {
		return a.call("POST", secrets, body, nil)
	}
	return err
}

// store is one SecretStore, with the token of a login.
type store struct{ server, mount, token string }

func (a *api) store(name string) (*store, error) {
	var object struct {
		Spec struct {
			Provider struct {
				Vault struct {
					Server string `json:"server"`
					Path   string `json:"path"`
					Auth   struct {
						Kubernetes struct {
							MountPath string `json:"mountPath"`
							Role      string `json:"role"`
						} `json:"kubernetes"`
					} `json:"auth"`
				} `json:"vault"`
			} `json:"provider"`
		} `json:"spec"`
	}
	if err := a.call("GET", group+a.space("secretstores")+"/"+name, nil, &object); err != nil {
		return nil, err
	}
	vault := object.Spec.Provider.Vault
	to := &store{server: vault.Server, mount: vault.Path}
	return to, to.login(vault.Auth.Kubernetes.MountPath, vault.Auth.Kubernetes.Role)
}

// login takes a token for the role; the store may have been made anew since the last one.
func (s *store) login(mount, role string) error {
	jwt, err := os.ReadFile(account + "token")
	if err != nil {
		return err
	}
	var answer struct {
		Auth struct {
			ClientToken string `json:"client_token"`
		}
	}
	body := map[string]string{"role": role, "jwt": string(jwt)}
	if err := s.call("POST", "auth/"+mount+"/login", body, &answer); err != nil {
		return fmt.Errorf("login: %w", err)
	}
	s.token = answer.Auth.ClientToken
	return nil
}

// read gives one property of the newest version of a KV v2 entry. Its errors hold no value.
func (s *store) read(key, property string) (string, error) {
	var answer struct {
		Data struct{ Data map[string]string }
	}
	if err := s.call("GET", s.mount+"/data/"+key, nil, &answer); err != nil {
		return "", err
	}
	value, ok := answer.Data.Data[property]
	if !ok {
		return "", fmt.Errorf("the entry has no property %q", property)
	}
	return value, nil
}

func (s *store) call(method, path string, body, into any) error {
	payload, err := json.Marshal(body)
	if err != nil {
		return err
	}
	request, err := http.NewRequest(method, s.server+"/v1/"+path, bytes.NewReader(payload))
	if err != nil {
		return err
	}
	request.Header.Set("X-Vault-Token", s.token)
	response, err := (&http.Client{Timeout: bound}).Do(request)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return fmt.Errorf("OpenBao answered %d", response.StatusCode)
	}
	if json.NewDecoder(io.LimitReader(response.Body, 1<<20)).Decode(into) != nil {
		return errors.New("OpenBao's answer is not understood")
	}
	return nil
}

// api is the API server as this pod's ServiceAccount sees it.
type api struct {
	server, namespace string
	client            *http.Client
}

func newAPI() (*api, error) {
	ca, err := os.ReadFile(account + "ca.crt")
	if err != nil {
		return nil, err
	}
	namespace, err := os.ReadFile(account + "namespace")
	if err != nil {
		return nil, err
	}
	pool := x509.NewCertPool()
	pool.AppendCertsFromPEM(ca)
	transport := &http.Transport{TLSClientConfig: &tls.Config{RootCAs: pool}}
	server := "https://" + os.Getenv("KUBERNETES_SERVICE_HOST") + ":" + os.Getenv("KUBERNETES_SERVICE_PORT")
	return &api{server, string(namespace), &http.Client{Timeout: bound, Transport: transport}}, nil
}

func (a *api) space(kind string) string { return "/namespaces/" + a.namespace + "/" + kind }

func (a *api) call(method, path string, body, into any) error {
	payload, err := json.Marshal(body)
	if err != nil {
		return err
	}
	request, err := http.NewRequest(method, a.server+path, bytes.NewReader(payload))
	if err != nil {
		return err
	}
	// The token is renewed in its file, so it is read for each call.
	token, err := os.ReadFile(account + "token")
	if err != nil {
		return err
	}
	request.Header.Set("Authorization", "Bearer "+string(token))
	request.Header.Set("Content-Type", "application/json")
	if method == "PATCH" {
		request.Header.Set("Content-Type", "application/merge-patch+json")
	}
	response, err := a.client.Do(request)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	if response.StatusCode == http.StatusNotFound {
		return errNotFound
	}
	if response.StatusCode >= 300 {
		return fmt.Errorf("%s %s: HTTP %d", method, path, response.StatusCode)
	}
	if into == nil {
		return nil
	}
	return json.NewDecoder(response.Body).Decode(into)
}
