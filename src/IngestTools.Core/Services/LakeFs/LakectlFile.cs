using IngestTools.Connections;
using YamlDotNet.Core;
using YamlDotNet.RepresentationModel;

namespace IngestTools.Services.LakeFs;

/// <summary>
/// The settings that lakectl keeps in <c>~/.lakectl.yaml</c>, or where <c>LAKECTL_CONFIG_FILE</c> says. Its secret is read when it is
/// needed, and never kept.
/// </summary>
internal sealed class LakectlFile
{
    private const string AccessKeyName = "credentials.access_key_id";
    private const string SecretName = "credentials.secret_access_key";
    private const string EndpointName = "server.endpoint_url";

    private static readonly string[] Names = [AccessKeyName, SecretName, EndpointName];

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
        string? path =
            variable("LAKECTL_CONFIG_FILE") is { Length: > 0 } named ? named
            : string.IsNullOrEmpty(home) ? null
            : Path.Join(home, ".lakectl.yaml");
        if (path is null || !File.Exists(path))
            return null;
        Dictionary<string, string> values = Read(path);
        return new LakectlFile(
            path,
            values.GetValueOrDefault(EndpointName),
            values.GetValueOrDefault(AccessKeyName),
            values.ContainsKey(SecretName)
        );
    }

    /// <exception cref="IngestException"><see cref="ErrorId.SecretUnavailable"/></exception>
    public string ReadSecret() =>
        Read(_path).TryGetValue(SecretName, out string? secret)
            ? secret
            : throw new IngestException(ErrorId.SecretUnavailable, $"{_path} has no '{SecretName}' any more.")
            {
                Advice = "Write it again with: lakectl config.",
            };

    private static Dictionary<string, string> Read(string path)
    {
        try
        {
            using FileStream file = FileAccount.OpenTrusted(
                Path.GetFullPath(path),
                risk => Unreadable(path, $"{risk.Reason}.", null, risk.Advice)
            );
            if (file.Length > MaxBytes)
                throw Unreadable(path, "it is too long to be lakectl's", null);
            using StreamReader text = new(file);
            YamlStream documents = [];
            documents.Load(text);
            return Flatten(path, documents);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw Unreadable(path, e.Message, e);
        }
        catch (YamlException e)
        {
            // The parser's message may quote a value; its place does not.
            throw Unreadable(path, $"line {e.Start.Line}, column {e.Start.Column} is not valid YAML", null);
        }
    }

    /// <summary>The values of the first two levels. Deeper values are not lakectl's own, whatever their names.</summary>
    private static Dictionary<string, string> Flatten(string path, YamlStream documents)
    {
        Dictionary<string, string> values = new(StringComparer.OrdinalIgnoreCase);
        if (documents.Documents.Count == 0 || documents.Documents[0].RootNode is not YamlMappingNode root)
            return values;
        foreach ((YamlNode key, YamlNode value) in root.Children)
        {
            string name = (key as YamlScalarNode)?.Value ?? "";
            if (Array.Find(Names, known => known.EndsWith($".{name}", StringComparison.OrdinalIgnoreCase)) is { } nested)
                throw Unreadable(path, $"'{name}' on line {key.Start.Line} is not indented, and lakectl reads '{nested}'", null);
            if (value is not YamlMappingNode section)
                continue;
            foreach ((YamlNode innerKey, YamlNode innerValue) in section.Children)
            {
                if (innerKey is YamlScalarNode { Value: { } inner } && innerValue is YamlScalarNode { Value.Length: > 0 } scalar)
                    values[$"{name}.{inner}"] = scalar.Value.TrimEnd('\r', '\n');
            }
        }

        return values;
    }

    private static IngestException Unreadable(string path, string why, Exception? cause, string? advice = null) =>
        new(ErrorId.FileUnreadable, $"lakectl's settings in {path} cannot be read: {why}", cause)
        {
            Service = IngestService.LakeFs,
            Advice = advice ?? "Fix the file (lakectl config writes a new one), or connect with Connect-IngestService LakeFs.",
            Target = path,
        };
}
