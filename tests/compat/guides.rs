//! The pages "Coming from ..." leave out nothing that the other clients offer. (Those that can be asked
//! are, in `python`.)

use crate::support;

use support::pages;

/// `class Client` in pyermc 0.0.6's `memcache.py`, what its constructor takes, and the drivers.
const PYERMC: &str = "host port connect_timeout timeout max_key_length max_value_length pickle \
    disable_nagle cache_cas error_as_miss client_driver connect is_connected close disconnect \
    reset_client reset_cas stats version incr decr delete flush_all add append prepend replace set cas \
    get get_multi gets gets_multi check_key min_compress_len MemcacheKeyError MemcacheValueError \
    MemcacheDriverException MemcacheSocketException TextProtoDriver BinaryProtoDriver UMemcacheDriver \
    noop Driver";

/// `class MemcachedClient` in lovely.memcached's `utility.py`, and what its methods take.
const LOVELY: &str = "MemcachedClient servers defaultAge defaultNS trackKeys defaultLifetime \
    getStatistics set query invalidate invalidateAll client storage keys lifetime ns raw dependencies \
    default";

/// simplekv 0.14: the interface and its mixins, `memory`, `decorator`, `cache`, `idgen`, `crypt` and
/// `transform`.
const SIMPLEKV: &str = "KeyValueStore get put delete keys iter_keys iter_prefixes get_file put_file open \
    __contains__ __iter__ VALID_KEY_REGEXP VALID_KEY_RE ttl_secs FOREVER NOT_SET default_ttl_secs \
    ttl_support UrlMixin url_for CopyMixin copy move ExtendedKeyspaceMixin DictStore MemcacheStore \
    RedisStore PrefixDecorator ReadOnlyDecorator KeyTransformingDecorator StoreDecorator CacheDecorator \
    HashDecorator UUIDDecorator HMACDecorator ValueTransformingDecorator FilesystemStore";

/// `IMemcachedClient` and `IMemcachedResultsClient` of EnyimMemcached 2.16, `IMemcachedClient` of
/// EnyimMemcachedCore 3, and the attributes of `socketPool`.
const ENYIM: &str = "MemcachedClient Get TryGet TryGetWithCas GetWithCas Append Prepend Store Cas Decrement \
    Increment Remove FlushAll Stats NodeFailed Dispose ExecuteGet ExecuteTryGet ExecuteStore \
    ExecuteDecrement ExecuteIncrement ExecuteAppend ExecutePrepend Add AddAsync Set SetAsync Replace \
    ReplaceAsync GetAsync GetValueAsync GetValueOrCreateAsync GetWithCasAsync StoreAsync TouchAsync \
    RemoveAsync RemoveMultiAsync FlushAllAsync minPoolSize maxPoolSize connectionTimeout deadTimeout \
    receiveTimeout queueTimeout failurePolicyFactory";

#[test]
fn the_pages_name_all_that_is_public() {
    for (page, names) in [
        ("pyermc.md", PYERMC),
        ("lovely.md", LOVELY),
        ("simplekv.md", SIMPLEKV),
        ("enyim.md", ENYIM),
    ] {
        pages::names_all(page, names.split_whitespace());
    }
}
