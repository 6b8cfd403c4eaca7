-- Asks Quorate whether a request may pass, and ends it with the answer if not.
--
-- The question goes to a unix socket of this very HAProxy, which `setenv AUTHZ_ADDRESS` names. Behind it an ordinary
-- backend chooses a node, checks its health, tries another one and speaks TLS. So this file knows nothing of nodes.
-- It needs `core.httpclient` (HAProxy 2.5) and no other Lua file.
--
-- Set before it runs: X-Forwarded-For, X-Forwarded-Proto, X-Forwarded-Host and the variable txn.quorate_uri.

local socket = os.getenv("AUTHZ_ADDRESS") or error("authz.lua: `setenv AUTHZ_ADDRESS` is missing in haproxy.cfg")

-- Longer than all tries behind the socket together: on its own time limit the client of HAProxy would start over.
local TIMEOUT_MS = 30000

local URL = "http://authz/api/authz/forward-auth"

-- Headers of the client that the decision depends on. No other one is sent.
local ASKED_WITH = {
    "accept", "accept-language", "authorization", "cookie", "proxy-authorization", "user-agent", "x-requested-with",
}

-- Headers of the answer that say who it is.
local IDENTITY = { "remote-user", "remote-groups", "remote-name", "remote-email" }

-- Headers of a refusal that the client gets to see.
local REFUSED_WITH = {
    "location", "set-cookie", "www-authenticate", "proxy-authenticate", "content-type", "cache-control", "retry-after",
    "x-content-type-options", "x-frame-options", "referrer-policy", "content-security-policy",
    "strict-transport-security", "permissions-policy",
}

-- HAProxy counts the values of a header from 0, which `ipairs` does not see.
local function each_value(values)
    local found = {}
    if values then
        local index = 0
        while values[index] ~= nil do
            found[#found + 1] = values[index]
            index = index + 1
        end
    end
    return found
end

local function question(txn)
    local given = txn.http:req_get_headers()
    local headers = {
        ["x-forwarded-method"] = { txn.sf:method() },
        ["x-forwarded-uri"] = { txn:get_var("txn.quorate_uri") or "" },
        -- HAProxy fills these two in when they are absent, and a script without `Accept` would look like a browser.
        ["accept"] = { "" },
        ["user-agent"] = { "" },
    }
    for _, name in ipairs({ "x-forwarded-for", "x-forwarded-proto", "x-forwarded-host" }) do
        headers[name] = each_value(given[name])
    end
    for _, name in ipairs(ASKED_WITH) do
        local values = each_value(given[name])
        if #values > 0 then
            -- Over HTTP/2 a browser sends its cookies in several fields.
            headers[name] = name == "cookie" and { table.concat(values, "; ") } or values
        end
    end
    return headers
end

local function let_pass(txn, answer)
    for _, name in ipairs(IDENTITY) do
        txn.http:req_del_header(name)
        for _, value in ipairs(each_value(answer.headers[name])) do
            if value ~= "" then
                txn.http:req_set_header(name, value)
            end
        end
    end
end

local function refuse(txn, answer)
    local reply = txn:reply({ status = answer.status })
    for _, name in ipairs(REFUSED_WITH) do
        for _, value in ipairs(each_value(answer.headers[name])) do
            reply:add_header(name, value)
        end
    end
    reply:set_body(answer.body or "")
    txn:done(reply)
end

local function unavailable(txn)
    local reply = txn:reply({ status = 503 })
    reply:add_header("retry-after", "2")
    reply:add_header("cache-control", "no-store")
    reply:add_header("content-type", "text/plain")
    reply:set_body("The authorization service is not available.\n")
    txn:done(reply)
end

-- 200 passes and nothing else does, not even an answer that cannot be understood.
local function authorize(txn)
    local client = core.httpclient()
    local asked, answer = pcall(client.get, client, {
        url = URL,
        dst = socket,
        headers = question(txn),
        timeout = TIMEOUT_MS,
    })
    if not asked or not answer or type(answer.status) ~= "number" then
        return unavailable(txn)
    end
    if answer.status == 200 then
        return let_pass(txn, answer)
    end
    if answer.status >= 300 and answer.status < 500 then
        return refuse(txn, answer)
    end
    return unavailable(txn)
end

core.register_action("quorate-authz", { "http-req" }, authorize, 0)
