//! `jfrkit upload`: send files to a server.

use std::fs::File;
use std::io::ErrorKind;
use std::path::Path;
use std::time::{Duration, Instant};

use serde_json::Value;

/// Where to upload, and with which key.
#[derive(Debug, Clone)]
pub struct Target {
    /// URL of the server, without a path.
    pub url: String,
    /// Intake key or page token. Waiting needs a page token, if the server has any.
    pub key: Option<String>,
}

/// The server's answer for a file.
#[derive(Debug, Clone)]
pub struct Uploaded {
    /// The id that the server assigned.
    pub id: String,
    /// `received`, `processing`, `ready` or `failed`.
    pub status: String,
    /// The findings, if we waited for them: severity, rule, cost.
    pub findings: Vec<(String, String, Option<f64>)>,
    /// Why processing failed.
    pub reason: Option<String>,
}

/// The tag that names the file of an upload. It leaves out the folder, which may contain private names.
#[must_use]
pub fn file_tag(file: &Path) -> Option<String> {
    Some(format!("file:{}", file.file_name()?.to_string_lossy()))
}

/// Encodes query parameters.
#[must_use]
pub fn query(pairs: &[(&str, &str)]) -> String {
    crate::url::encode(pairs)
}

/// An HTTP client that trusts the certificates that the system trusts.
pub(crate) fn agent(timeout: Duration) -> ureq::Agent {
    let tls = ureq::tls::TlsConfig::builder().root_certs(ureq::tls::RootCerts::PlatformVerifier).build();
    ureq::Agent::config_builder()
        .timeout_global(Some(timeout))
        .http_status_as_error(false)
        .tls_config(tls)
        .build()
        .into()
}

impl Target {
    /// Sends a file. With `wait`, returns once the profile is ready.
    ///
    /// # Errors
    /// Fails if the file cannot be read, the server cannot be reached, or it refuses the upload.
    pub fn send(&self, file: &Path, query: &str, wait: bool) -> Result<Uploaded, String> {
        let agent = agent(Duration::from_secs(300));
        let name = file.display();
        let content = File::open(file).map_err(|e| format!("{name}: {e}"))?;
        let length = content.metadata().map_err(|e| format!("{name}: {e}"))?.len();
        let url = format!("{}/api/v1/recordings?{query}", self.url.trim_end_matches('/'));
        let mut request = agent
            .post(&url)
            .header("content-type", "application/octet-stream")
            .header("content-length", length.to_string())
            // Lets the server refuse before we send the body; otherwise its answer could be lost with the connection.
            .header("expect", "100-continue");
        if let Some(key) = &self.key {
            // The server checks the first as an intake key, the second as either.
            request = request.header("dd-api-key", key).header("authorization", format!("Bearer {key}"));
        }
        let answer = request.send(content).map_err(|e| match &e {
            ureq::Error::Io(io) if matches!(io.kind(), ErrorKind::BrokenPipe | ErrorKind::ConnectionReset) => {
                format!("{}: the server closed the connection before it received the whole file", self.url)
            }
            _ => format!("{}: {e}", self.url),
        })?;
        let answer = Self::json(answer).map_err(|e| format!("{name}: {e}"))?;
        let id = answer.get("id").and_then(Value::as_str).unwrap_or_default().to_owned();
        let mut uploaded = Uploaded { id, status: "received".to_owned(), findings: Vec::new(), reason: None };
        if wait {
            self.wait(&agent, &mut uploaded)?;
        }
        Ok(uploaded)
    }

    fn wait(&self, agent: &ureq::Agent, uploaded: &mut Uploaded) -> Result<(), String> {
        let url = format!("{}/api/v1/profiles/{}", self.url.trim_end_matches('/'), uploaded.id);
        let end = Instant::now() + Duration::from_secs(120);
        loop {
            let mut request = agent.get(&url);
            if let Some(key) = &self.key {
                request = request.header("authorization", format!("Bearer {key}"));
            }
            let answer = request.call().map_err(|e| format!("{}: {e}", self.url))?;
            if answer.status() == 401 {
                return Err(format!(
                    "the upload was accepted as {}, but --wait needs a page token of the server as the key",
                    uploaded.id
                ));
            }
            let profile = Self::json(answer)?;
            let status = profile.get("status").and_then(Value::as_str).unwrap_or_default();
            let pending = profile.pointer("/analysis/status").and_then(Value::as_str) == Some("processing");
            if matches!(status, "ready" | "failed") && !pending {
                uploaded.status = status.to_owned();
                uploaded.reason = profile.get("reason").and_then(Value::as_str).map(str::to_owned);
                let text = |finding: &Value, name: &str| {
                    finding.get(name).and_then(Value::as_str).unwrap_or_default().to_owned()
                };
                let findings = profile.get("findings_list").and_then(Value::as_array).cloned().unwrap_or_default();
                uploaded.findings = findings
                    .iter()
                    .map(|f| (text(f, "severity"), text(f, "rule"), f.get("cost").and_then(Value::as_f64)))
                    .collect();
                return Ok(());
            }
            if Instant::now() >= end {
                return Err(format!("{} was not ready within 2 min", uploaded.id));
            }
            std::thread::sleep(Duration::from_millis(200));
        }
    }

    fn json(mut answer: ureq::http::Response<ureq::Body>) -> Result<Value, String> {
        let status = answer.status();
        let text = answer.body_mut().read_to_string().map_err(|e| e.to_string())?;
        let value: Value = serde_json::from_str(&text).unwrap_or(Value::Null);
        if status.is_success() {
            return Ok(value);
        }
        let detail = value.get("detail").and_then(Value::as_str).unwrap_or(text.trim());
        Err(format!("the server answered {}: {detail}", status.as_u16()))
    }
}
