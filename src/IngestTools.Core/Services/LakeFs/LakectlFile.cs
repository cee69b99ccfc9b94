using IngestTools.Connections;

namespace IngestTools.Services.LakeFs;

/// <summary>
/// The settings that lakectl keeps in <c>~/.lakectl.yaml</c>, or where <c>LAKECTL_CONFIG_FILE</c> says. Of YAML this reads what lakectl writes: two levels of
/// <c>key: value</c>. Its secret is read when it is needed, and never kept.
/// </summary>
internal sealed class LakectlFile
{
    private const string AccessKeyName = "credentials.access_key_id";
    private const string SecretName = "credentials.secret_access_key";
    private const string EndpointName = "server.endpoint_url";

    /// <summary>No settings are longer: a file that is, is another file.</summary>
    private const int MaxBytes = 1024 * 1024;

    private readonly string _path;

    private LakectlFile(string path, string? endpoint, string? accessKey, bool hasSecret)
    {
        _path = path;
        Endpoint = endpoint;
        AccessKeyId = accessKey;
        HasCredentials = accessKey is not null && hasSecret;
    }

    public string? Endpoint { get; }

    public string? AccessKeyId { get; }

    public bool HasCredentials { get; }

    /// <summary>What an error names: the file, and never what is in it.</summary>
    public string EndpointSource => $"'{EndpointName}' in {_path}";

    /// <summary>The file that is there; null where there is none.</summary>
    /// <param name="variable">Reads environment variables.</param>
    /// <exception cref="IngestException"><see cref="ErrorId.FileUnreadable"/></exception>
    public static LakectlFile? Find(Func<string, string?> variable)
    {
        string? home = variable(OperatingSystem.IsWindows() ? "USERPROFILE" : "HOME");
        string? path = variable("LAKECTL_CONFIG_FILE") is { Length: > 0 } named ? named : string.IsNullOrEmpty(home) ? null : Path.Join(home, ".lakectl.yaml");
        if (path is null || !File.Exists(path))
            return null;
        Dictionary<string, string> values = Read(path);
        return new LakectlFile(path, values.GetValueOrDefault(EndpointName), values.GetValueOrDefault(AccessKeyName), values.ContainsKey(SecretName));
    }

    /// <exception cref="IngestException"><see cref="ErrorId.SecretUnavailable"/></exception>
    public string ReadSecret() => Read(_path).TryGetValue(SecretName, out string? secret) ? secret : throw new IngestException(
        ErrorId.SecretUnavailable, $"{_path} has no '{SecretName}' any more.")
    { Advice = "Write it again with: lakectl config." };

    private static Dictionary<string, string> Read(string path)
    {
        try
        {
            using FileStream file = FileAccount.OpenTrusted(Path.GetFullPath(path), risk => Unreadable(path, $"{risk.Reason}.", null, risk.Advice));
            if (file.Length > MaxBytes)
                throw Unreadable(path, "it is too long to be lakectl's", null);
            using StreamReader reader = new(file);
            return Parse(LinesOf(reader));
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw Unreadable(path, e.Message, e);
        }
    }

    private static IEnumerable<string> LinesOf(StreamReader reader)
    {
        while (reader.ReadLine() is { } line)
            yield return line;
    }

    private static IngestException Unreadable(string path, string why, Exception? cause, string? advice = null) => new(ErrorId.FileUnreadable, $"lakectl's settings in {path} cannot be read: {why}", cause)
    {
        Service = IngestService.LakeFs,
        Advice = advice ?? "Correct the file, or connect with Connect-IngestService LakeFs.",
        Target = path,
    };

    private static Dictionary<string, string> Parse(IEnumerable<string> lines)
    {
        Dictionary<string, string> values = new(StringComparer.OrdinalIgnoreCase);
        string section = "";
        foreach (string line in lines)
        {
            string text = line.Trim();
            int colon = text.IndexOf(':', StringComparison.Ordinal);
            if (text.Length == 0 || text[0] == '#' || colon <= 0)
                continue;
            string key = Unquote(text[..colon]);
            string value = Unquote(WithoutComment(text[(colon + 1)..]));
            bool isTop = !char.IsWhiteSpace(line[0]);
            if (isTop)
                section = value.Length == 0 ? key : "";
            if (value.Length > 0)
                values[isTop ? key : $"{section}.{key}"] = value;
        }

        return values;
    }

    /// <summary>A comment begins with a space and a number sign, outside quotes.</summary>
    private static string WithoutComment(string value)
    {
        value = value.Trim();
        if (value.Length > 0 && value[0] is '"' or '\'' && value.IndexOf(value[0], 1) is > 0 and int end)
            return value[..(end + 1)];
        int comment = value.StartsWith('#') ? 0 : value.IndexOf(" #", StringComparison.Ordinal);
        return comment < 0 ? value : value[..comment];
    }

    private static string Unquote(string text)
    {
        text = text.Trim();
        return text.Length >= 2 && text[0] is '"' or '\'' && text[^1] == text[0] ? text[1..^1] : text;
    }
}
