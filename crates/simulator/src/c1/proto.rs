//! The messages of C1's task API, generated for this side alone.
//!
//! Invariant: nothing here is shared with the connector; both are made of the same `.proto` files.

/// Everything under `c1`.
pub mod c1 {
    /// The connector contract.
    pub mod connector {
        /// Resources, entitlements and grants.
        #[expect(missing_docs, clippy::all, clippy::pedantic, clippy::allow_attributes, reason = "generated")]
        pub mod v2 {
            include!("../generated/c1.connector.v2.rs");
        }
    }
    /// C1's side.
    pub mod connectorapi {
        /// Service mode.
        pub mod baton {
            /// Tasks.
            #[expect(
                missing_docs,
                clippy::all,
                clippy::pedantic,
                clippy::allow_attributes,
                reason = "generated"
            )]
            pub mod v1 {
                include!("../generated/c1.connectorapi.baton.v1.rs");
            }
        }
    }
}

/// Everything under `google` that is not in `prost_types`.
pub mod google {
    /// How a call ended.
    #[expect(missing_docs, reason = "generated")]
    pub mod rpc {
        include!("../generated/google.rpc.rs");
    }
}

pub use c1::connector::v2 as connector;
pub use c1::connectorapi::baton::v1 as tasks;
pub use google::rpc;
