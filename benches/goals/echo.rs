//! What payhook is compared with: a bare tonic service that takes the same bytes, reads nothing in
//! them and answers as many bytes as payhook does. Run by this same binary as a process.

use std::{
    convert::Infallible,
    future::{Ready, ready},
    io::{BufRead as _, BufReader, Write as _},
    net::SocketAddr,
    pin::Pin,
    process::{Child, Command, Stdio},
    task::{Context, Poll},
};

use bytes::Bytes;
use tonic::{
    Request, Response, Status,
    body::Body,
    codegen::{Service, http},
    server::{Grpc, NamedService, UnaryService},
    transport::{Server, server::TcpIncoming},
};
use tonic_prost::ProstCodec;

use crate::{
    paired::Side,
    wire::{Call, Target},
};

/// The argument with which this binary is the server.
pub const ARGUMENT: &str = "--be-the-echo";

/// Both messages: one field of bytes, read without a copy. A call of payhook reads as one.
#[derive(Clone, PartialEq, prost::Message)]
struct Message {
    #[prost(bytes = "bytes", tag = "1")]
    bytes: Bytes,
}

#[derive(Clone)]
struct Echo(Bytes);

impl NamedService for Echo {
    const NAME: &'static str = "payhook.v1.PaymentWebhookService";
}

impl Service<http::Request<Body>> for Echo {
    type Response = http::Response<Body>;
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, Infallible>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: http::Request<Body>) -> Self::Future {
        let answer = self.clone();
        Box::pin(async move {
            let mut grpc = Grpc::new(ProstCodec::<Message, Message>::default());
            Ok(grpc.unary(answer, request).await)
        })
    }
}

impl UnaryService<Message> for Echo {
    type Response = Message;
    type Future = Ready<Result<Response<Message>, Status>>;

    fn call(&mut self, _: Request<Message>) -> Self::Future {
        ready(Ok(Response::new(Message { bytes: self.0.clone() })))
    }
}

/// Serves until it is ended: tonic's own server with the settings that payhook has, on one
/// current-thread runtime.
pub fn serve(reply_bytes: usize) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    runtime.expect("a runtime").block_on(async {
        let loopback = SocketAddr::from(([127, 0, 0, 1], 0));
        let incoming = TcpIncoming::bind(loopback).expect("a free port").with_nodelay(Some(true));
        println!("{}", incoming.local_addr().expect("bound"));
        std::io::stdout().flush().expect("somebody reads");
        // The field's number and length come on top.
        let echo = Echo(vec![b'e'; reply_bytes.saturating_sub(3)].into());
        Server::builder()
            .max_concurrent_streams(100)
            .initial_stream_window_size(128 * 1024)
            .initial_connection_window_size(256 * 1024)
            .add_service(echo)
            .serve_with_incoming(incoming)
            .await
            .expect("it serves");
    });
}

/// A running echo.
pub struct EchoServer {
    child: Child,
    pub address: SocketAddr,
}

impl EchoServer {
    pub fn start(reply_bytes: usize) -> Self {
        let own = std::env::current_exe().expect("this binary");
        let mut child = Command::new(own)
            .args([ARGUMENT, &reply_bytes.to_string()])
            .stdout(Stdio::piped())
            .spawn()
            .expect("this binary runs");
        let mut line = String::new();
        let out = child.stdout.take().expect("piped");
        BufReader::new(out).read_line(&mut line).expect("it says where it listens");
        Self { address: line.trim().parse().expect("an address"), child }
    }

    pub fn side<'a>(&self, calls: &'a [Call]) -> Side<'a> {
        Side { process: self.child.id(), target: Target::Tcp(self.address), calls }
    }
}

impl Drop for EchoServer {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
