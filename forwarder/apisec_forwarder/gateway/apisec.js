// Copies each request and response into one JSON line of the access log, in the form that `replay` reads.
// It runs in NGINX's filters and at log time: nothing is held back from the client.
// $apisec_request_bytes and $apisec_response_bytes say how much of a body is copied.
var held = []; // this request's: every request has globals of its own
var kept = 0;
var seen = 0;

function copy(r, data, flags) {
    var length = data.length;
    var room = Number(r.variables.apisec_response_bytes) - kept;
    if (room > 0 && length) {
        var part = length > room ? data.slice(0, room) : data;
        held.push(Buffer.from(part));
        kept += part.length;
    }
    seen += length;
    r.sendBuffer(data, flags);
}

// NGINX keeps two of a response's headers apart from the others.
function answered(r) {
    var list = r.rawHeadersOut;
    if (r.variables.sent_http_content_type) {
        list.push(['content-type', r.variables.sent_http_content_type]);
    }
    if (r.variables.sent_http_content_length) {
        list.push(['content-length', r.variables.sent_http_content_length]);
    }
    return list;
}

function sent(r) {
    var wire = Number(r.variables.content_length || 0);
    var data;
    try {
        data = r.requestBuffer;
    } catch (e) { // it went to a file: larger than client_body_buffer_size
        return { size: wire };
    }
    if (!data) {
        return { size: wire };
    }
    var size = data.length > wire ? data.length : wire;
    return { data: data.slice(0, Number(r.variables.apisec_request_bytes)), size: size };
}

// The members of a body, as JSON. Base64 needs no escaping, and JSON.stringify would look at each of its characters.
function body(data, size) {
    var text = data && data.length ? ',"body_encoding":"base64","body":"' + data.toString('base64') + '"' : '';
    return size ? text + ',"body_size":' + size : text;
}

// Milliseconds of all upstreams that were asked: "0.012", or "0.003, 0.010 : 0.001" after retries and redirects
// within NGINX; "-" stands for one that was not reached.
function upstream(text) {
    var total = 0;
    var known = false;
    (text || '').split(/[,:]/).forEach(function (part) {
        var seconds = parseFloat(part);
        if (seconds >= 0) {
            total += Math.round(seconds * 1000);
            known = true;
        }
    });
    return known ? ',"upstream_time":' + total : '';
}

function record(r) {
    var v = r.variables;
    var url = v.scheme + '://' + (v.http_host || v.host) + v.request_uri;
    var client = { address: v.remote_addr, port: Number(v.remote_port) };
    if (v.ssl_protocol) {
        client.tls_version = v.ssl_protocol;
    }
    if (v.ssl_client_verify === 'SUCCESS') {
        client.certificate_subject = v.ssl_client_s_dn;
    }
    var took = Number(v.request_time);
    var request = sent(r);
    return '{"id":"' + v.request_id + '","time":' + (Number(v.msec) - took) + ',"duration":' + Math.round(took * 1000)
        + upstream(v.upstream_response_time)
        + ',"client":' + JSON.stringify(client)
        + ',"request":{"method":' + JSON.stringify(r.method) + ',"url":' + JSON.stringify(url)
        + ',"headers":' + JSON.stringify(r.rawHeadersIn) + body(request.data, request.size)
        + '},"response":{"status":' + r.status
        + ',"headers":' + JSON.stringify(answered(r)) + body(held.length === 1 ? held[0] : Buffer.concat(held), seen) + '}}';
}

export default { copy, record };
