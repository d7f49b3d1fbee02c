//! Traces of a server, for a collector that speaks OTLP over HTTP, where a setting names one.
//!
//! What is worth a span stands where it is done; here the spans are given form and sent.
//!
//! Invariant: without a setting nothing of it runs. A collector that is slow or gone costs spans, never requests; what a span
//! tells comes from fields that hold no secret.

use std::collections::HashMap;
use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use metsuke_clients::collect::Collector;
use opentelemetry::KeyValue;
use opentelemetry::propagation::TextMapPropagator as _;
use opentelemetry::trace::TracerProvider as _;
use opentelemetry_http::{Bytes, HttpClient, HttpError, Request, Response};
use opentelemetry_otlp::{Protocol, SpanExporter, WithExportConfig as _, WithHttpConfig as _};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::propagation::TraceContextPropagator;
use opentelemetry_sdk::trace::{SdkTracer, SdkTracerProvider};
use tokio::runtime::Handle;
use tracing_opentelemetry::{OpenTelemetryLayer, OpenTelemetrySpanExt as _};
use tracing_subscriber::registry::LookupSpan;

use crate::failure::Failure;

/// How long the last spans may take on their way out.
const FAREWELL: Duration = Duration::from_secs(5);
/// Where collectors take traces, below the address that names them.
const PATH: &str = "/v1/traces";

/// Where traces go, as the environment says.
#[derive(Clone, Debug, Default)]
pub(crate) struct TraceSettings {
    own: Option<String>,
    base: Option<String>,
    exact: Option<String>,
    service: Option<String>,
    off: bool,
}

impl TraceSettings {
    /// Reads them: our own variable first, then the standard's.
    ///
    /// Source: <https://opentelemetry.io/docs/specs/otel/protocol/exporter/>; headers, the service's name and how spans are
    /// gathered have further variables there, which the library reads.
    pub(crate) fn read(own: Option<String>, variable: impl Fn(&str) -> Option<String>) -> Self {
        let says =
            |name: &str, word: &str| variable(name).is_some_and(|value| value.eq_ignore_ascii_case(word));
        Self {
            own,
            base: variable("OTEL_EXPORTER_OTLP_ENDPOINT"),
            exact: variable("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT"),
            service: variable("OTEL_SERVICE_NAME"),
            off: says("OTEL_SDK_DISABLED", "true") || says("OTEL_TRACES_EXPORTER", "none"),
        }
    }

    /// Whether anybody wants traces.
    pub(crate) fn are_kept(&self) -> bool {
        self.address().is_some()
    }

    /// The address that takes traces; none where nobody wants any.
    fn address(&self) -> Option<String> {
        if self.off {
            return None;
        }
        let below = |base: &String| format!("{}{PATH}", base.trim_end_matches('/'));
        self.own.as_ref().map(below).or_else(|| self.exact.clone()).or_else(|| self.base.as_ref().map(below))
    }
}

/// Spans on their way out.
pub(crate) struct Traces {
    provider: SdkTracerProvider,
}

impl fmt::Debug for Traces {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Traces").finish_non_exhaustive()
    }
}

impl Traces {
    /// Begins; nothing where no setting names a collector. What is sent is sent by this runtime.
    ///
    /// # Errors
    ///
    /// [`Failure`] for an address that is none.
    pub(crate) fn begin(settings: &TraceSettings, runtime: &Handle) -> Result<Option<Self>, Failure> {
        let Some(address) = settings.address() else { return Ok(None) };
        // The address is not shown: it may hold a password.
        let wrong = |what: String| {
            Failure::usage(format!("traces cannot be sent: {what}"))
                .hint("write METSUKE_OTLP_ENDPOINT like http://127.0.0.1:4318")
        };
        let collector = Collector::new(&address).map_err(|error| wrong(error.to_string()))?;
        let exporter = SpanExporter::builder()
            .with_http()
            .with_http_client(Sender { collector: Arc::new(collector), runtime: runtime.clone() })
            .with_protocol(Protocol::HttpBinary)
            .with_endpoint(address)
            .build()
            .map_err(|_| wrong("the settings of the exporter cannot be used".into()))?;
        let service = settings.service.clone().unwrap_or_else(|| "metsuke".to_owned());
        let version = KeyValue::new("service.version", env!("CARGO_PKG_VERSION"));
        let resource = Resource::builder().with_service_name(service).with_attribute(version).build();
        let provider =
            SdkTracerProvider::builder().with_batch_exporter(exporter).with_resource(resource).build();
        Ok(Some(Self { provider }))
    }

    /// What turns the program's spans into those that are sent.
    pub(crate) fn layer<S>(&self) -> OpenTelemetryLayer<S, SdkTracer>
    where
        S: tracing::Subscriber + for<'span> LookupSpan<'span>,
    {
        tracing_opentelemetry::layer()
            .with_tracer(self.provider.tracer("metsuke"))
            .with_location(false)
            .with_threads(false)
            .with_tracked_inactivity(false)
            .with_target(false)
    }

    /// Sends what is left, and ends.
    pub(crate) fn end(&self) {
        // Whoever reads traces misses the last ones; nobody else misses anything.
        drop(self.provider.shutdown_with_timeout(FAREWELL));
    }
}

/// Makes a span part of the trace that a request names.
pub(crate) fn join(span: &tracing::Span, parent: &str) {
    let told = HashMap::from([("traceparent".to_owned(), parent.to_owned())]);
    // It fails where no traces are sent.
    span.set_parent(TraceContextPropagator::new().extract(&told)).ok();
}

/// Sends with our own client, on our own runtime, for a library that has a thread and none of the two.
struct Sender {
    collector: Arc<Collector>,
    runtime: Handle,
}

impl fmt::Debug for Sender {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sender").finish_non_exhaustive()
    }
}

impl HttpClient for Sender {
    fn send_bytes<'this, 'sent>(
        &'this self,
        request: Request<Bytes>,
    ) -> Pin<Box<dyn Future<Output = Result<Response<Bytes>, HttpError>> + Send + 'sent>>
    where
        'this: 'sent,
        Self: 'sent,
    {
        let (parts, body) = request.into_parts();
        let headers: Vec<(String, Vec<u8>)> =
            parts.headers.iter().map(|(name, value)| (name.to_string(), value.as_bytes().to_vec())).collect();
        let (collector, address) = (Arc::clone(&self.collector), parts.uri.to_string());
        let sent = self.runtime.spawn(async move { collector.post(&address, &headers, body.to_vec()).await });
        Box::pin(async move {
            let answer = sent.await??;
            Ok(Response::builder().status(answer.status).body(Bytes::from(answer.body))?)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(pairs: &[(&str, &str)]) -> Option<String> {
        let find = |name: &str| pairs.iter().find(|pair| pair.0 == name).map(|pair| pair.1.to_owned());
        TraceSettings::read(find("METSUKE_OTLP_ENDPOINT"), find).address()
    }

    #[test]
    fn traces_go_where_a_setting_says_and_nowhere_without_one() {
        let (own, base) =
            (("METSUKE_OTLP_ENDPOINT", "http://a:4318/"), ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://b"));
        let exact = ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "http://c/x");
        assert_eq!(address(&[]), None);
        assert_eq!(address(&[own, base, exact]).as_deref(), Some("http://a:4318/v1/traces"));
        assert_eq!(address(&[base, exact]).as_deref(), Some("http://c/x"));
        assert_eq!(address(&[base]).as_deref(), Some("http://b/v1/traces"));
        assert_eq!(address(&[own, ("OTEL_SDK_DISABLED", "true")]), None);
        assert_eq!(address(&[own, ("OTEL_TRACES_EXPORTER", "none")]), None);
    }
}
