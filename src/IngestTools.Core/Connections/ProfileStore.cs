using System.Text.Json;
using System.Text.Json.Serialization;
using IngestTools.Files;

namespace IngestTools.Connections;

/// <summary>
/// The saved profiles, in profiles.json of the configuration folder. The folder is 0700 and the file 0600 from the moment they exist; the
/// file is replaced as a whole, so that no reader sees half of it.
/// </summary>
public sealed class ProfileStore
{
    /// <summary>How long another process may take to save a profile.</summary>
    private static readonly TimeSpan LockLimit = TimeSpan.FromSeconds(30);

    private readonly string _folder;
    private readonly string _path;

    /// <summary>Takes the folder where the file lies; nothing is read yet.</summary>
    /// <param name="folder">The configuration folder; null takes the user's (<see cref="IngestFolders.Configuration"/>).</param>
    public ProfileStore(string? folder = null)
    {
        _folder = folder ?? IngestFolders.Configuration;
        _path = Path.Join(_folder, "profiles.json");
    }

    /// <summary>All profiles, by name. Empty where there is no file.</summary>
    /// <exception cref="IngestException"><see cref="ErrorId.FileUnreadable"/></exception>
    public IReadOnlyList<ConnectionProfile> Read()
    {
        try
        {
            using FileStream file = FileAccount.OpenTrusted(_path, Untrusted);
            return JsonSerializer.Deserialize(file, ProfileJson.Default.ConnectionProfileArray) ?? [];
        }
        catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException)
        {
            return [];
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or JsonException)
        {
            throw new IngestException(ErrorId.FileUnreadable, $"The saved connections in {_path} cannot be read: {e.Message}", e)
            {
                Advice = "Correct the file, or remove it and save the connections again.",
                Target = _path,
            };
        }
    }

    /// <summary>Saves a profile, in place of one of the same name. A new default of a service ends the old one.</summary>
    /// <exception cref="IngestException"><see cref="ErrorId.FileUnreadable"/></exception>
    public void Save(ConnectionProfile profile)
    {
        ArgumentNullException.ThrowIfNull(profile);
        Change(profiles =>
            profiles
                .Where(other => !IsNamed(other, profile.Name))
                .Select(other => profile.IsDefault && other.Service == profile.Service ? other with { IsDefault = false } : other)
                .Append(profile)
        );
    }

    /// <summary>Removes a profile; false where there was none.</summary>
    /// <exception cref="IngestException"><see cref="ErrorId.FileUnreadable"/></exception>
    public bool Remove(string name)
    {
        ArgumentNullException.ThrowIfNull(name);
        if (!Read().Any(profile => IsNamed(profile, name)))
            return false;
        Change(profiles => profiles.Where(profile => !IsNamed(profile, name)));
        return true;
    }

    private IngestException Untrusted(FileRisk risk) =>
        new(ErrorId.FileUnreadable, $"The saved connections in {_path} are not used: {risk.Reason}.")
        {
            Advice = $"{risk.Advice} Look at what the file says before you use it again, or set INGESTTOOLS_HOME to another folder.",
            Target = _path,
        };

    private static bool IsNamed(ConnectionProfile profile, string name) =>
        string.Equals(profile.Name, name, StringComparison.OrdinalIgnoreCase);

    /// <summary>Reads, changes and writes under a lock: processes that save at the same time would undo each other's changes.</summary>
    private void Change(Func<IEnumerable<ConnectionProfile>, IEnumerable<ConnectionProfile>> change)
    {
        string temporary = Path.Join(_folder, $".{Guid.NewGuid():N}.tmp");
        try
        {
            PrivateFiles.CreateFolder(_folder);
            if (FileAccount.FindRisk(_path, allowsSticky: true) is { } risk)
                throw Untrusted(risk);
            using FileStream held = LockFile.Acquire(Path.Join(_folder, "profiles.lock"), LockLimit);
            ConnectionProfile[] profiles = change(Read()).OrderBy(profile => profile.Name, StringComparer.OrdinalIgnoreCase).ToArray();
            using (FileStream file = PrivateFiles.Create(temporary))
            {
                JsonSerializer.Serialize(file, profiles, ProfileJson.Default.ConnectionProfileArray);
                file.Flush(flushToDisk: true);
            }

            File.Move(temporary, _path, overwrite: true);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            PrivateFiles.TryDelete(temporary);
            throw new IngestException(ErrorId.FileUnreadable, $"The connections cannot be saved in {_path}: {e.Message}", e)
            {
                Advice = "Give this account the right to write there, or set INGESTTOOLS_HOME to another folder.",
                Target = _path,
            };
        }
    }
}

/// <summary>How profiles.json is written.</summary>
[JsonSourceGenerationOptions(
    WriteIndented = true,
    PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase,
    UseStringEnumConverter = true,
    DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull
)]
[JsonSerializable(typeof(ConnectionProfile[]))]
internal sealed partial class ProfileJson : JsonSerializerContext;
