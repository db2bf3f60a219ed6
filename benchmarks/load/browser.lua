-- What a browser sends with a fetch; with "first" as argument each request differs in one field.
local fields = {
  ["User-Agent"] = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0",
  ["Accept"] = "application/json, text/plain, */*",
  ["Accept-Language"] = "de,en-US;q=0.7,en;q=0.3",
  ["Accept-Encoding"] = "identity",
  ["Referer"] = "https://erp.example/dashboard",
  ["Sec-Fetch-Dest"] = "empty",
  ["Sec-Fetch-Mode"] = "cors",
  ["Sec-Fetch-Site"] = "same-origin",
  ["DNT"] = "1",
  ["Connection"] = "keep-alive",
}
local number, each_new = 0, false

function init(arguments)
  for name, value in pairs(fields) do wrk.headers[name] = value end
  each_new = arguments[1] == "first"
end

function request()
  if each_new then
    number = number + 1
    wrk.headers["X-Trace"] = number
  end
  return wrk.format()
end
